//! Large objects that stood in the file before, since what stands there again need not be scanned: the claims of a
//! token, which are half of an entry, come with each call that is made with it.

const std = @import("std");
const bytes = @import("bytes.zig");

/// Bytes that an object has that is remembered.
const least = 1024;
const most = 4096;

const slots = 256;
const step = 128;

pub const Memo = struct {
    gpa: std.mem.Allocator,
    sizes: [slots]u32 = @splat(0),
    texts: std.ArrayList(u8) = .empty, // Room for `most` bytes in each slot.

    /// The end of the object that begins at a place, if the same one stood somewhere before.
    pub fn find(self: *const Memo, text: []const u8, at: usize) ?usize {
        if (at + least > text.len) return null;
        const slot = slotOf(text[at..][0..least]);
        const size = self.sizes[slot];
        if (size == 0 or at + size > text.len) return null;
        return if (bytes.equal(self.texts.items[slot * most ..][0..size], text[at..][0..size])) at + size else null;
    }

    /// Remember an object that is sound, in place of another one.
    pub fn keep(self: *Memo, object: []const u8) std.mem.Allocator.Error!void {
        if (object.len < least or object.len > most) return;
        try bytes.ensureUnused(self.gpa, &self.texts, slots * most - self.texts.items.len);
        self.texts.items.len = slots * most;
        const slot = slotOf(object[0..least]);
        bytes.copy(self.texts.items[slot * most ..][0..most], object);
        self.sizes[slot] = @intCast(object.len);
    }

    /// Where an object is remembered. Objects of one slot only cost time, so a few of their bytes will do.
    fn slotOf(object: *const [least]u8) usize {
        var hash: u64 = 0;
        var at: usize = step;
        while (at <= least) : (at += step) {
            hash = (hash ^ std.mem.readInt(u64, object[at - 8 ..][0..8], .little)) *% 0x9E3779B97F4A7C15;
            hash ^= hash >> 29;
        }
        return @intCast(hash >> 32 & (slots - 1));
    }
};
