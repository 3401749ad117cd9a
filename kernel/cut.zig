//! Cutting a part: which operations leave, and what the app is told of each.

const std = @import("std");
const bytes = @import("bytes.zig");
const condense = @import("condense.zig").condense;
const Group = @import("store.zig").Group;
const none = @import("store.zig").none;
const Span = @import("bytes.zig").Span;
const Store = @import("store.zig").Store;

const Error = std.mem.Allocator.Error;

pub const uid_size = 32;

/// Stands between the parts of a key in `Cut.keys`, as `SEPARATOR` in `shared/model/ids.py`; none of them has it
/// there.
const separator = 0x1F;

/// An operation that leaves.
pub const Row = extern struct {
    members: Span, // In `Cut.once`, each entry once, if it is whole; otherwise in `Cut.members`, all.
    arrived: u32, // Entries with those that stood twice.
    group: u32,
    line: Span = .{}, // In `Cut.lines`, with the line break.
    category: Span = .{}, // In the store's texts; for equal ones the same, but for some where there are very many.
    first: i64 = std.math.maxInt(i64),
    last: i64 = std.math.minInt(i64),
    succeeded: u32 = 0,
    unused: u32 = 0,
};

/// An entry that leaves in a whole operation.
pub const Once = extern struct {
    text: Span, // In the store's texts.
    number: u32,
    place: u32, // As in `Entry`, and so is the next.
    offset: u64,
};

/// An entry that leaves in an operation that is not whole.
pub const Member = extern struct {
    text: Span, // In the store's texts.
    category: Span, // Likewise.
    number: u32,
    status: u32,
    odd: u32,
    unused: u32 = 0,
    time: i64,
};

pub const Cut = struct {
    gpa: std.mem.Allocator,
    groups: std.ArrayList(u32) = .empty, // All, in the order in which each got its last entry.
    taken: std.ArrayList(u32) = .empty, // Those that leave.
    chosen: std.ArrayList(u32) = .empty, // The entries of whole operations.
    order: std.ArrayList(u32) = .empty,
    rows: std.ArrayList(Row) = .empty, // Whole operations, by time, then odd ones, then the others.
    whole: u32 = 0,
    odd: u32 = 0,
    categories: std.ArrayList(Span) = .empty, // Those that were met first.
    members: std.ArrayList(Member) = .empty,
    once: std.ArrayList(Once) = .empty,
    keys: std.ArrayList(u8) = .empty, // Of rows that are not odd, each with a line break.
    uids: std.ArrayList(u8) = .empty, // Of whole operations, from the app.
    lines: std.ArrayList(u8) = .empty,

    /// Let operations leave until the entries of the others have no more than that many bytes.
    pub fn take(self: *Cut, store: *Store, most: u32) Error!void {
        inline for (.{
            &self.groups, &self.taken, &self.chosen, &self.order, &self.rows,       &self.members,
            &self.once,   &self.keys,  &self.uids,   &self.lines, &self.categories,
        }) |list| list.items.len = 0;
        try self.choose(store, most);
        for (self.taken.items) |number| {
            if (store.groups.items[number].whole()) try self.addWhole(store, number);
        }
        std.sort.pdq(Row, self.rows.items, {}, happenedBefore);
        self.whole = @intCast(self.rows.items.len);
        for ([_]bool{ true, false }) |odd| {
            for (self.taken.items) |number| {
                const group = store.groups.items[number];
                if (!group.whole() and group.odd == odd) try self.addOther(store, number);
            }
            if (odd) self.odd = @as(u32, @intCast(self.rows.items.len)) - self.whole;
        }
        for (self.rows.items) |row| try self.addKey(store, store.groups.items[row.group]);
        try self.uids.resize(self.gpa, uid_size * self.whole);
    }

    /// Those that are complete go first, and of these those that had their last entry long ago.
    fn choose(self: *Cut, store: *Store, most: u32) Error!void {
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
    }

    fn touchedBefore(store: *Store, one: u32, two: u32) bool {
        return store.groups.items[one].touched < store.groups.items[two].touched;
    }

    fn happenedBefore(_: void, one: Row, two: Row) bool {
        return one.first < two.first;
    }

    fn addWhole(self: *Cut, store: *Store, number: u32) Error!void {
        const group = store.groups.items[number];
        const begin = self.chosen.items.len;
        var at = group.first;
        while (at != none) : (at = store.entries.items[at].next) try self.chosen.append(self.gpa, at);
        self.inOrder(store, begin);
        const entries = self.chosen.items[begin..];
        var row: Row = .{
            .members = .{ .at = @intCast(begin), .size = @intCast(entries.len) },
            .arrived = group.count,
            .group = number,
            .first = store.entries.items[entries[0]].time,
            .last = store.entries.items[entries[entries.len - 1]].time,
        };
        for (entries) |place| {
            const entry = store.entries.items[place];
            try self.once.append(self.gpa, .{
                .text = entry.text,
                .number = entry.number,
                .place = entry.place,
                .offset = entry.offset,
            });
            if (entry.status == .success) row.succeeded = 1;
            if (entry.status == .start and row.category.size == 0) row.category = entry.categoryInTexts();
        }
        row.category = try self.known(store, row.category);
        try self.rows.append(self.gpa, row);
    }

    /// Put the entries of an operation in order, and leave out repeated ones.
    fn inOrder(self: *Cut, store: *Store, begin: usize) void {
        const few = 16;
        const entries = self.chosen.items[begin..];
        if (entries.len > few) {
            std.sort.pdq(u32, entries, store, Store.before);
        } else std.sort.insertion(u32, entries, store, Store.before);
        var kept: usize = 0;
        for (entries) |number| {
            if (kept > 0 and store.same(entries[kept - 1], number)) continue;
            entries[kept] = number;
            kept += 1;
        }
        self.chosen.items.len = begin + kept;
    }

    /// Where a category stood first.
    fn known(self: *Cut, store: *Store, category: Span) Error!Span {
        const most = 16;
        const name = category.in(store.texts.items);
        for (self.categories.items) |one| {
            if (bytes.equal(one.in(store.texts.items), name)) return one;
        }
        if (self.categories.items.len < most) try self.categories.append(self.gpa, category);
        return category;
    }

    fn addOther(self: *Cut, store: *Store, number: u32) Error!void {
        const group = store.groups.items[number];
        try self.rows.append(self.gpa, .{
            .members = .{ .at = @intCast(self.members.items.len), .size = group.count },
            .arrived = group.count,
            .group = number,
        });
        var at = group.first;
        while (at != none) : (at = store.entries.items[at].next) {
            const entry = store.entries.items[at];
            try self.members.append(self.gpa, .{
                .text = entry.text,
                .category = if (entry.odd) .{} else entry.categoryInTexts(),
                .number = entry.number,
                .status = @backingInt(entry.status),
                .odd = @intFromBool(entry.odd),
                .time = entry.time,
            });
        }
    }

    fn addKey(self: *Cut, store: *Store, group: Group) Error!void {
        if (group.odd) return;
        var key = group.key.in(store.keys.items);
        for (group.parts, 0..) |size, part| {
            if (part > 0) try self.keys.append(self.gpa, separator);
            try self.keys.appendSlice(self.gpa, key[0..size]);
            key = key[size..];
        }
        try self.keys.append(self.gpa, '\n');
    }

    /// Write the lines of the operations that are whole, whose `uids` are there by now, in the order of time; of
    /// those that happened at once, in that of their uids.
    pub fn write(self: *Cut, store: *Store) Error!void {
        for (0..self.whole) |place| try self.order.append(self.gpa, @intCast(place));
        std.sort.pdq(u32, self.order.items, self, standsBefore);
        for (self.order.items) |place| {
            const row = &self.rows.items[place];
            const begin = self.lines.items.len;
            const entries = self.chosen.items[row.members.at..][0..row.members.size];
            try condense(store, entries, self.uid(place), &self.lines);
            row.line = .{ .at = @intCast(begin), .size = @intCast(self.lines.items.len - begin) };
        }
    }

    fn standsBefore(self: *Cut, one: u32, two: u32) bool {
        const left = self.rows.items[one].first;
        const right = self.rows.items[two].first;
        return left < right or (left == right and std.mem.order(u8, self.uid(one), self.uid(two)) == .lt);
    }

    fn uid(self: *Cut, place: u32) []const u8 {
        return self.uids.items[uid_size * place ..][0..uid_size];
    }
};
