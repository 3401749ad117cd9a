//! JSON text, scanned once and strictly (RFC 8259), without recursion.
//!
//! Whatever is not plainly sound is `Odd`, and left to the app's exact reader. Texts are slices that have `pad`
//! zeros somewhere behind them: a zero ends every token, so that the scan needs no other bound.

const std = @import("std");
const Memo = @import("memo.zig").Memo;

pub const Error = error{Odd};

/// Zeros behind the last text, at least as many as are looked at together.
pub const pad = 32;

const Block = @Vector(16, u8);
const deepest = 63;

/// A string's end, after its closing quote; and whether its bytes are what it says: ASCII without escapes.
pub const String = struct { end: usize, plain: bool };

/// The string whose opening quote stands before `start`.
pub inline fn string(text: []const u8, start: usize) Error!String {
    var at = start;
    var plain = true;
    while (true) {
        const found = special(text[at..][0..16].*);
        if (found == 0) {
            at += 16;
            continue;
        }
        at += @ctz(found);
        const byte = text[at];
        if (byte == '"') return .{ .end = at + 1, .plain = plain };
        plain = false;
        at = if (byte == '\\') try escape(text, at + 1) else try sequence(text, at);
    }
}

/// A bit for each byte that ends a string, or that not every string has.
inline fn special(block: Block) u16 {
    const quotes: @Vector(16, bool) = block == @as(Block, @splat('"'));
    const backslashes: @Vector(16, bool) = block == @as(Block, @splat('\\'));
    // Bytes of no ASCII are negative as signed ones, and so below the controls' end, too.
    const others: @Vector(16, bool) = @as(@Vector(16, i8), @bitCast(block)) < @as(@Vector(16, i8), @splat(0x20));
    return @as(u16, @bitCast(quotes)) | @as(u16, @bitCast(backslashes)) | @as(u16, @bitCast(others));
}

/// What follows a backslash at `at`; gives where it ends. Half a surrogate pair is let through, as it came.
fn escape(text: []const u8, at: usize) Error!usize {
    switch (text[at]) {
        '"', '\\', '/', 'b', 'f', 'n', 'r', 't' => return at + 1,
        'u' => {
            for (text[at + 1 ..][0..4]) |digit| switch (digit) {
                '0'...'9', 'a'...'f', 'A'...'F' => {},
                else => return error.Odd,
            };
            return at + 5;
        },
        else => return error.Odd,
    }
}

/// A character of several bytes in UTF-8 (RFC 3629, section 4); gives where it ends.
fn sequence(text: []const u8, at: usize) Error!usize {
    const second = text[at + 1];
    const size: usize = switch (text[at]) {
        0xC2...0xDF => 2,
        0xE0 => if (second >= 0xA0) 3 else return error.Odd,
        0xED => if (second <= 0x9F) 3 else return error.Odd,
        0xE1...0xEC, 0xEE...0xEF => 3,
        0xF0 => if (second >= 0x90) 4 else return error.Odd,
        0xF1...0xF3 => 4,
        0xF4 => if (second <= 0x8F) 4 else return error.Odd,
        else => return error.Odd,
    };
    for (text[at + 1 .. at + size]) |byte| {
        if (byte & 0xC0 != 0x80) return error.Odd;
    }
    return at + size;
}

/// Where the next token begins. Line breaks are odd: an entry has to stand in one line.
pub inline fn white(text: []const u8, start: usize) usize {
    var at = start;
    while (text[at] == ' ' or text[at] == '\t') at += 1;
    return at;
}

/// The end of the value that begins at `start`.
pub fn value(memo: *Memo, text: []const u8, start: usize) (Error || std.mem.Allocator.Error)!usize {
    var inner: ?usize = null; // Where an object begins that is in the value, but in no other one in it.
    var at = start;
    var depth: u6 = 0;
    var objects: u64 = 0; // The lowest bit says whether the innermost is an object, the next what it is in.
    while (true) {
        one: switch (text[at]) {
            '"' => at = (try string(text, at + 1)).end,
            '{', '[' => |opening| {
                const is_object = opening == '{';
                const is_inner = depth == 1 and is_object;
                if (is_inner) if (memo.find(text, at)) |end| {
                    at = end;
                    break :one;
                };
                const begin = at;
                at = white(text, at + 1);
                if (text[at] == closing(is_object)) {
                    at += 1;
                } else {
                    if (depth == deepest) return error.Odd;
                    if (is_inner) inner = begin;
                    depth += 1;
                    objects = objects << 1 | @intFromBool(is_object);
                    if (is_object) at = try name(text, at);
                    continue;
                }
            },
            '-', '0'...'9' => at = try number(text, at),
            't' => at = try word(text, at, "true"),
            'f' => at = try word(text, at, "false"),
            'n' => at = try word(text, at, "null"),
            else => return error.Odd,
        }
        while (true) {
            if (depth == 0) return at;
            const is_object = objects & 1 == 1;
            at = white(text, at);
            if (text[at] == ',') {
                at = white(text, at + 1);
                if (is_object) at = try name(text, at);
                break;
            }
            if (text[at] != closing(is_object)) return error.Odd;
            at += 1;
            objects >>= 1;
            depth -= 1;
            if (depth == 1) {
                if (inner) |begin| try memo.keep(text[begin..at]);
                inner = null;
            }
        }
    }
}

inline fn closing(is_object: bool) u8 {
    return if (is_object) '}' else ']';
}

/// A field's name and colon; gives where its value begins.
inline fn name(text: []const u8, at: usize) Error!usize {
    if (text[at] != '"') return error.Odd;
    return colon(text, (try string(text, at + 1)).end);
}

/// The colon after a name; gives where the value begins.
pub inline fn colon(text: []const u8, start: usize) Error!usize {
    const at = white(text, start);
    if (text[at] != ':') return error.Odd;
    return white(text, at + 1);
}

fn word(text: []const u8, at: usize, comptime wanted: []const u8) Error!usize {
    for (text[at..][0..wanted.len], wanted) |byte, other| {
        if (byte != other) return error.Odd;
    }
    return at + wanted.len;
}

fn number(text: []const u8, start: usize) Error!usize {
    var at = start + @intFromBool(text[start] == '-');
    at = if (text[at] == '0') at + 1 else try digits(text, at);
    if (text[at] == '.') at = try digits(text, at + 1);
    if (text[at] == 'e' or text[at] == 'E') {
        at += 1;
        if (text[at] == '+' or text[at] == '-') at += 1;
        at = try digits(text, at);
    }
    return at;
}

fn digits(text: []const u8, start: usize) Error!usize {
    var at = start;
    while (text[at] >= '0' and text[at] <= '9') at += 1;
    return if (at > start) at else error.Odd;
}
