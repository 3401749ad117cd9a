//! The entries that are held until their part of the file is cut: grouped by operation.

const std = @import("std");
const bytes = @import("bytes.zig");
const record = @import("record.zig");
const Field = record.Field;
const Span = bytes.Span;
const Status = record.Status;

pub const none: u32 = std.math.maxInt(u32);

/// Bytes that each entry counts beside its text, as `ITEM` in `shared/capture/sift.py`.
pub const overhead = 256;

/// An administrative entry; its text is in `Store.texts`, but for an odd one's, which the app keeps.
pub const Entry = struct {
    text: Span,
    number: u32,
    offset: u64 = 0, // Where it stands in the file; if its block is compressed, where that begins.
    place: u32 = 0, // Where it stands in what a compressed block holds.
    next: u32 = none,
    fields: Span = .{},
    category: Span = .{},
    status: Status,
    time: i64 = 0,
    shape: u32 = 0,
    odd: bool = false,

    /// Sorts what happened at once: Starts first, ends last.
    fn rank(self: Entry) u8 {
        return switch (self.status) {
            .start => 0,
            .accept => 1,
            .success, .failure, .cancelled => 3,
            .none => 2,
        };
    }

    /// Where its category stands in the store's texts.
    pub fn categoryInTexts(self: Entry) Span {
        return .{ .at = self.text.at + self.category.at, .size = self.category.size };
    }

    pub fn ends(self: Entry) bool {
        return self.rank() == 3;
    }
};

/// The sizes of a key's parts: correlation ID, operation, resource.
pub const Parts = [3]u32;

/// An operation; its key is in `Store.keys`, in lower case, its entries are linked.
pub const Group = struct {
    hash: u64,
    key: Span,
    parts: Parts,
    first: u32,
    last: u32,
    count: u32 = 0,
    size: u32 = 0,
    touched: u32 = 0,
    starts: bool = false,
    ends: bool = false,
    odd: bool = false,
    taken: bool = false,

    /// Whether there are a Start and an end.
    pub fn complete(self: Group) bool {
        return self.starts and self.ends;
    }

    /// Whether its record can be made here if nothing else is known of it.
    pub fn whole(self: Group) bool {
        return self.complete() and !self.odd and self.parts[1] > 0 and self.parts[2] > 0;
    }
};

pub const Store = struct {
    gpa: std.mem.Allocator,
    seed: u64 = 0,
    size: u32 = 0,
    clock: u32 = 0,
    texts: std.ArrayList(u8) = .empty, // Those of the entries, in them or between the bytes of the file.
    fields: std.ArrayList(Field) = .empty,
    keys: std.ArrayList(u8) = .empty,
    entries: std.ArrayList(Entry) = .empty,
    groups: std.ArrayList(Group) = .empty,
    slots: std.ArrayList(u32) = .empty,

    const Error = std.mem.Allocator.Error;

    /// Take in an entry of the operation with that key, whose parts stand one after the other.
    pub fn add(self: *Store, key: []const u8, parts: Parts, fields: []const Field, made: Entry) Error!void {
        var entry = made;
        entry.fields = .{ .at = @intCast(self.fields.items.len), .size = @intCast(fields.len) };
        try self.fields.appendSlice(self.gpa, fields);
        const hash = std.hash.XxHash64.hash(self.seed, key);
        try self.link(try self.groupOf(hash, key, parts), entry);
    }

    fn link(self: *Store, number: u32, entry: Entry) Error!void {
        const place: u32 = @intCast(self.entries.items.len);
        try self.entries.append(self.gpa, entry);
        const group = &self.groups.items[number];
        if (group.count == 0) group.first = place else self.entries.items[group.last].next = place;
        group.last = place;
        group.count += 1;
        group.touched = self.clock;
        self.clock += 1;
        group.starts = group.starts or entry.status == .start;
        group.ends = group.ends or entry.ends();
        group.odd = group.odd or entry.odd;
        const size = entry.text.size + overhead;
        group.size += size;
        self.size += size;
    }

    fn groupOf(self: *Store, hash: u64, key: []const u8, parts: Parts) Error!u32 {
        if (2 * (self.groups.items.len + 1) > self.slots.items.len) try self.grow();
        const slot = self.find(hash, key, parts);
        if (slot.* == none) {
            slot.* = @intCast(self.groups.items.len);
            const at: u32 = @intCast(self.keys.items.len);
            try self.keys.appendSlice(self.gpa, key);
            try self.groups.append(self.gpa, .{
                .hash = hash,
                .key = .{ .at = at, .size = @intCast(key.len) },
                .parts = parts,
                .first = none,
                .last = none,
            });
        }
        return slot.*;
    }

    fn find(self: *Store, hash: u64, key: []const u8, parts: Parts) *u32 {
        const mask = self.slots.items.len - 1;
        var at = @as(usize, @truncate(hash)) & mask;
        while (true) : (at = (at + 1) & mask) {
            const slot = &self.slots.items[at];
            if (slot.* == none) return slot;
            const group = self.groups.items[slot.*];
            if (group.hash == hash and std.mem.eql(u32, &group.parts, &parts) and
                bytes.equal(group.key.in(self.keys.items), key)) return slot;
        }
    }

    fn grow(self: *Store) Error!void {
        const size = @max(1024, 2 * self.slots.items.len);
        try self.slots.resize(self.gpa, size);
        @memset(self.slots.items, none);
        for (self.groups.items, 0..) |group, number| {
            self.find(group.hash, group.key.in(self.keys.items), group.parts).* = @intCast(number);
        }
    }

    /// Whether an entry happened before another of its operation; the same however they arrived.
    pub fn before(self: *Store, one: u32, two: u32) bool {
        const left = self.entries.items[one];
        const right = self.entries.items[two];
        if (left.time != right.time) return left.time < right.time;
        if (left.rank() != right.rank()) return left.rank() < right.rank();
        return std.mem.order(u8, left.text.in(self.texts.items), right.text.in(self.texts.items)) == .lt;
    }

    /// Whether two entries are equal byte for byte.
    pub fn same(self: *Store, one: u32, two: u32) bool {
        const left = self.entries.items[one].text.in(self.texts.items);
        return bytes.equal(left, self.entries.items[two].text.in(self.texts.items));
    }

    /// Give the groups that were not taken to another store, in the order in which each got its last entry, and all
    /// texts with them; gives how many bytes of these are theirs, and come first.
    pub fn leave(self: *Store, order: []const u32, other: *Store) Error!usize {
        for (order) |number| {
            const group = self.groups.items[number];
            if (group.taken) continue;
            const there = try other.groupOf(group.hash, group.key.in(self.keys.items), group.parts);
            var at = group.first;
            while (at != none) : (at = self.entries.items[at].next) {
                var entry = self.entries.items[at];
                const fields = self.fields.items[entry.fields.at..][0..entry.fields.size];
                entry.next = none;
                entry.fields.at = @intCast(other.fields.items.len);
                try other.fields.appendSlice(self.gpa, fields);
                try other.link(there, entry);
            }
        }
        other.texts = self.texts;
        self.texts = .empty;
        return other.compact();
    }

    /// Bring the texts of the entries together at the beginning.
    fn compact(self: *Store) Error!usize {
        var order: std.ArrayList(u32) = .empty;
        defer order.deinit(self.gpa);
        for (self.entries.items, 0..) |entry, number| {
            if (!entry.odd) try order.append(self.gpa, @intCast(number));
        }
        std.sort.pdq(u32, order.items, self.entries.items, standsBefore);
        var end: usize = 0;
        for (order.items) |number| {
            const text = &self.entries.items[number].text;
            @memmove(self.texts.items[end..][0..text.size], text.in(self.texts.items));
            text.at = @intCast(end);
            end += text.size;
        }
        return end;
    }

    fn standsBefore(entries: []const Entry, one: u32, two: u32) bool {
        return entries[one].text.at < entries[two].text.at;
    }

    pub fn clear(self: *Store) void {
        self.size = 0;
        self.clock = 0;
        self.fields.items.len = 0;
        self.keys.items.len = 0;
        self.entries.items.len = 0;
        self.groups.items.len = 0;
        @memset(self.slots.items, none);
    }
};
