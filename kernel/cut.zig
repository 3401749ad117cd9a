//! Cutting a part: which operations leave, and what the app is told of each.

const std = @import("std");
const condense = @import("condense.zig").condense;
const none = @import("store.zig").none;
const Group = @import("store.zig").Group;
const Span = @import("record.zig").Span;
const Store = @import("store.zig").Store;

const Error = std.mem.Allocator.Error;

pub const uid_size = 32;

/// An operation that leaves.
pub const Row = extern struct {
    odd: u32, // Whether an entry was read exactly; then there is no key in `Cut.keys`.
    whole: u32,
    members: Span, // In `Cut.members` and `Cut.numbers`: each entry once if it is whole, otherwise all.
    arrived: u32, // Entries with those that stood twice.
    succeeded: u32,
    line: Span, // In `Cut.lines`, with the line break.
    text: Span, // In `Cut.texts`: the entries, each with a line break.
    category: Span, // In `Cut.texts`.
    first: i64,
    last: i64,
};

/// An entry that leaves.
pub const Member = extern struct {
    text: Span, // In `Cut.texts`.
    category: Span, // Likewise.
    number: u32,
    status: u32,
    odd: u32,
    unused: u32 = 0,
    time: i64,
};

pub const Cut = struct {
    gpa: std.mem.Allocator,
    /// All groups, in the order in which each got its last entry.
    groups: std.ArrayList(u32) = .empty,
    order: std.ArrayList(u32) = .empty,
    taken: std.ArrayList(u32) = .empty,
    chosen: std.ArrayList(u32) = .empty,
    rows: std.ArrayList(Row) = .empty,
    members: std.ArrayList(Member) = .empty,
    numbers: std.ArrayList(u32) = .empty,
    keys: std.ArrayList(u8) = .empty,
    uids: std.ArrayList(u8) = .empty,
    lines: std.ArrayList(u8) = .empty,
    texts: std.ArrayList(u8) = .empty,

    /// Choose operations until the entries of the others have no more than that many bytes: those that are
    /// complete first, and of these those that had their last entry long ago.
    pub fn take(self: *Cut, store: *Store, most: u32) Error!void {
        inline for (.{ &self.groups, &self.order, &self.taken, &self.chosen, &self.rows, &self.members, &self.numbers, &self.keys, &self.uids, &self.lines, &self.texts }) |list| {
            list.clearRetainingCapacity();
        }
        for (0..store.groups.items.len) |number| try self.groups.append(self.gpa, @intCast(number));
        std.sort.pdq(u32, self.groups.items, store, touchedBefore);
        for ([_]bool{ true, false }) |complete| {
            for (self.groups.items) |number| {
                const group = &store.groups.items[number];
                if (group.taken or (complete and !group.complete())) continue;
                if (store.size <= most) break;
                group.taken = true;
                store.size -= group.size;
                try self.taken.append(self.gpa, number);
            }
        }
        for (self.taken.items) |number| try self.describe(store, store.groups.items[number]);
        try self.uids.resize(self.gpa, uid_size * self.rows.items.len);
    }

    fn touchedBefore(store: *Store, one: u32, two: u32) bool {
        return store.groups.items[one].touched < store.groups.items[two].touched;
    }

    fn describe(self: *Cut, store: *Store, group: Group) Error!void {
        const begin = self.chosen.items.len;
        var at = group.first;
        while (at != none) : (at = store.entries.items[at].next) try self.chosen.append(self.gpa, at);
        if (group.whole()) self.inOrder(store, begin);
        const text: u32 = @intCast(self.texts.items.len);
        var row: Row = .{
            .odd = @intFromBool(group.odd),
            .whole = @intFromBool(group.whole()),
            .members = .{ .at = @intCast(begin), .size = @intCast(self.chosen.items.len - begin) },
            .arrived = group.count,
            .succeeded = 0,
            .line = .{},
            .text = .{},
            .category = .{},
            .first = std.math.maxInt(i64),
            .last = std.math.minInt(i64),
        };
        for (self.chosen.items[begin..]) |number| {
            const entry = store.entries.items[number];
            const place: u32 = @intCast(self.texts.items.len);
            const category: Span = .{ .at = place + entry.category.at, .size = entry.category.size };
            try self.members.append(self.gpa, .{
                .text = .{ .at = place, .size = entry.text.size },
                .category = category,
                .number = entry.number,
                .status = @intFromEnum(entry.status),
                .odd = @intFromBool(entry.odd),
                .time = entry.time,
            });
            try self.numbers.append(self.gpa, entry.number);
            if (!entry.odd) {
                try self.texts.appendSlice(self.gpa, entry.text.in(store.texts.items));
                try self.texts.append(self.gpa, '\n');
            }
            row.first = @min(row.first, entry.time);
            row.last = @max(row.last, entry.time);
            if (entry.status == .success) row.succeeded = 1;
            if (entry.status == .start and row.category.size == 0) row.category = category;
        }
        row.text = .{ .at = text, .size = @intCast(self.texts.items.len - text) };
        try self.rows.append(self.gpa, row);
        if (group.odd) return;
        var key = group.key.in(store.keys.items);
        for (group.parts) |size| {
            try self.keys.appendSlice(self.gpa, key[0..size]);
            try self.keys.append(self.gpa, '\n');
            key = key[size..];
        }
    }

    /// Put the entries of an operation in order, and leave out repeated ones.
    fn inOrder(self: *Cut, store: *Store, begin: usize) void {
        const entries = self.chosen.items[begin..];
        if (entries.len > 16) std.sort.pdq(u32, entries, store, Store.before) else std.sort.insertion(u32, entries, store, Store.before);
        var kept: usize = 0;
        for (entries) |number| {
            if (kept > 0 and store.same(entries[kept - 1], number)) continue;
            entries[kept] = number;
            kept += 1;
        }
        self.chosen.shrinkRetainingCapacity(begin + kept);
    }

    /// Write the lines of the operations that are whole, whose `uids` are there by now, in the order of time.
    pub fn write(self: *Cut, store: *Store) Error!void {
        self.order.clearRetainingCapacity();
        for (self.rows.items, 0..) |row, place| {
            if (row.whole > 0) try self.order.append(self.gpa, @intCast(place));
        }
        std.sort.pdq(u32, self.order.items, self, earlier);
        for (self.order.items) |place| {
            const row = &self.rows.items[place];
            const begin = self.lines.items.len;
            try condense(store, self.chosen.items[row.members.at..][0..row.members.size], self.uid(place), &self.lines);
            row.line = .{ .at = @intCast(begin), .size = @intCast(self.lines.items.len - begin) };
        }
    }

    fn earlier(self: *Cut, one: u32, two: u32) bool {
        const left = self.rows.items[one].first;
        const right = self.rows.items[two].first;
        return left < right or (left == right and std.mem.order(u8, self.uid(one), self.uid(two)) == .lt);
    }

    fn uid(self: *Cut, place: u32) []const u8 {
        return self.uids.items[uid_size * place ..][0..uid_size];
    }
};
