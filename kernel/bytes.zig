//! Texts: their parts, comparing and copying short ones, sixteen bytes at a time, since most are too short for a call
//! to be worth it, and lists for long ones.

const std = @import("std");

const Block = @Vector(16, u8);

/// Bytes that a list has room for at least.
pub var least: usize = 0;

/// Part of a text.
pub const Span = extern struct {
    at: u32 = 0,
    size: u32 = 0,

    pub fn in(self: Span, text: []const u8) []const u8 {
        return text[self.at..][0..self.size];
    }
};

/// Whether two texts are equal.
pub inline fn equal(one: []const u8, two: []const u8) bool {
    if (one.len != two.len) return false;
    const size = one.len;
    if (size >= 16) {
        var at: usize = 0;
        while (at + 64 <= size) : (at += 64) {
            const different = differing(one, two, at) | differing(one, two, at + 16) |
                differing(one, two, at + 32) | differing(one, two, at + 48);
            if (@reduce(.Or, different) != 0) return false;
        }
        while (at + 16 <= size) : (at += 16) {
            if (!same(one, two, at)) return false;
        }
        return at == size or same(one, two, size - 16);
    }
    if (size >= 8) return word(u64, one, 0) == word(u64, two, 0) and word(u64, one, size - 8) == word(u64, two, size - 8);
    if (size >= 4) return word(u32, one, 0) == word(u32, two, 0) and word(u32, one, size - 4) == word(u32, two, size - 4);
    for (one, two) |left, right| {
        if (left != right) return false;
    }
    return true;
}

inline fn differing(one: []const u8, two: []const u8, at: usize) Block {
    const left: Block = one.ptr[at..][0..16].*;
    const right: Block = two.ptr[at..][0..16].*;
    return left ^ right;
}

inline fn same(one: []const u8, two: []const u8, at: usize) bool {
    const left: Block = one[at..][0..16].*;
    const right: Block = two[at..][0..16].*;
    return @reduce(.And, left == right);
}

inline fn word(comptime Word: type, text: []const u8, at: usize) Word {
    return @bitCast(text[at..][0..@sizeOf(Word)].*);
}

/// Copy a text with its letters of ASCII in lower case; the place is as long.
pub fn lower(place: []u8, text: []const u8) void {
    const size = text.len;
    if (size < 16) {
        for (text, place[0..size]) |byte, *to| to.* = if (byte >= 'A' and byte <= 'Z') byte | 0x20 else byte;
        return;
    }
    var at: usize = 0;
    while (at + 16 <= size) : (at += 16) place[at..][0..16].* = lowered(text[at..][0..16].*);
    place[size - 16 ..][0..16].* = lowered(text[size - 16 ..][0..16].*);
}

inline fn lowered(block: Block) Block {
    const letters = block -% @as(Block, @splat('A')) < @as(Block, @splat(26));
    return block | @select(u8, letters, @as(Block, @splat(0x20)), @as(Block, @splat(0)));
}

const long = 512;

/// Copy a text to the beginning of a place that does not overlap it.
pub inline fn copy(place: []u8, text: []const u8) void {
    const size = text.len;
    if (size >= long) {
        @memcpy(place[0..size], text);
    } else if (size >= 16) {
        var at: usize = 0;
        while (at + 16 <= size) : (at += 16) place[at..][0..16].* = text[at..][0..16].*;
        place[size - 16 ..][0..16].* = text[size - 16 ..][0..16].*;
    } else if (size >= 8) {
        place[0..8].* = text[0..8].*;
        place[size - 8 ..][0..8].* = text[size - 8 ..][0..8].*;
    } else for (text, place[0..size]) |byte, *to| {
        to.* = byte;
    }
}

/// Make room for so many bytes more in a list. Other than the list's own way, it leaves new memory as it is, so
/// that a list may be large from the beginning: what is never used costs nothing.
pub fn ensureUnused(gpa: std.mem.Allocator, list: *std.ArrayList(u8), size: usize) std.mem.Allocator.Error!void {
    const wanted = list.items.len + size;
    if (wanted <= list.capacity) return;
    const capacity = @max(wanted + wanted / 4, least);
    const place = gpa.rawAlloc(capacity, .of(u8), @returnAddress()) orelse return error.OutOfMemory;
    @memcpy(place[0..list.items.len], list.items);
    const old = list.allocatedSlice();
    if (old.len > 0) gpa.rawFree(old, .of(u8), @returnAddress());
    list.items.ptr = place;
    list.capacity = capacity;
}
