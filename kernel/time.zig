//! Times as nearly all of Azure's logs spell them: `2026-11-02T09:00:00.1234567Z`, with up to nine digits.

const ends = [_]u8{ 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
const shortest = "2026-11-02T09:00:00Z".len;
const most_digits = 9;

/// Nanoseconds since 1970 (UTC); null if it is spelled in another way, or no such moment exists.
pub fn nanoseconds(text: []const u8) ?i64 {
    if (text.len < shortest or text[text.len - 1] != 'Z') return null;
    for ([_]u8{ 4, 7, 10, 13, 16 }, "--T::") |at, mark| {
        if (text[at] != mark) return null;
    }
    const year = number(text[0..4]) orelse return null;
    const month = number(text[5..7]) orelse return null;
    const day = number(text[8..10]) orelse return null;
    const hour = number(text[11..13]) orelse return null;
    const minute = number(text[14..16]) orelse return null;
    const second = number(text[17..19]) orelse return null;
    if (year < 1970 or year > 2200 or month < 1 or month > 12) return null;
    if (day < 1 or day > ends[month - 1] or (month == 2 and day == 29 and !leaps(year))) return null;
    if (hour > 23 or minute > 59 or second > 59) return null;
    const fraction = fractionOf(text[19 .. text.len - 1]) orelse return null;
    const seconds = (hour * 60 + minute) * 60 + second;
    // Up to 2200 nothing of this overflows; to check a product of 64 bits would cost more than all the rest.
    return (@as(i64, days(year, month, day)) *% 86_400 +% seconds) *% 1_000_000_000 +% fraction;
}

fn number(text: []const u8) ?u32 {
    var found: u32 = 0;
    for (text) |digit| {
        if (digit < '0' or digit > '9') return null;
        found = found * 10 + (digit - '0');
    }
    return found;
}

fn fractionOf(text: []const u8) ?u32 {
    if (text.len == 0) return 0;
    if (text[0] != '.' or text.len == 1 or text.len - 1 > most_digits) return null;
    var found = number(text[1..]) orelse return null;
    for (text.len - 1..most_digits) |_| found *= 10;
    return found;
}

fn leaps(year: u32) bool {
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0);
}

/// Days since 1970; a year is taken to begin in March, so that a leap day is its last
/// (Howard Hinnant, chrono-compatible low-level date algorithms).
fn days(year: u32, month: u32, day: u32) i32 {
    const from_march = year - @intFromBool(month <= 2);
    const of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    return @intCast(365 * from_march + from_march / 4 - from_march / 100 + from_march / 400 + of_year - 719_468);
}
