//! Reading a file's blocks: which entries are to be combined, which pass through, and what is odd.

const std = @import("std");
const avro = @import("avro.zig");
const bytes = @import("bytes.zig");
const json = @import("json.zig");
const record = @import("record.zig");
const Entry = @import("store.zig").Entry;
const Span = bytes.Span;
const Store = @import("store.zig").Store;
const overhead = @import("store.zig").overhead;

const OutOfMemory = std.mem.Allocator.Error;

pub const sync_size = 16;

/// Bytes that a block may have, as in `shared/capture/avro.py`.
const largest = 1 << 26;

/// Events that a block may have, since each takes memory, however short it is. No block of Capture has so many.
const most_events = 1 << 14;

/// Why reading stops.
pub const Stop = enum(u32) {
    end, // All blocks that are there as a whole are done; the rest waits for more.
    full, // A part has to be cut.
    body, // The body of the event `event` has to be read exactly.
    records, // Records of the last body have to be read exactly: those in `odd`.
    block, // The next block has to be read exactly.
};

/// A record that passes through, or is odd, and its place in its body. Its text is in the store.
pub const Beside = extern struct { text: Span, category: Span, number: u32, place: u32, time: i64 };

/// An event, and its body, by their places in the store's texts.
pub const Event = extern struct { all: Span = .{}, body: Span = .{} };

/// What was read, and what comes next. The file's bytes stand behind the texts of the entries that are held.
pub const Reader = struct {
    gpa: std.mem.Allocator,
    most: u32 = 0, // Bytes that are held before a part has to be cut.
    schema: std.ArrayList(u8) = .empty,
    sync: [sync_size]u8 = @splat(0),
    cursor: usize = 0, // Where the first block begins that was not read to its end.
    fresh: usize = 0, // Where what came since the last cut begins.
    origin: u64 = 0, // How much further in the file than in the store's texts a byte stands that was not read yet.
    packed_at: ?u64 = null, // Where in the file the block begins that is being read, if it was compressed.
    content: u32 = 0, // Where in the store's texts begins what it holds; counted modulo 2^32.
    events: std.ArrayList(Event) = .empty, // Of the block that is being read.
    next: usize = 0,
    block_end: usize = 0,
    event: Event = .{}, // The last one.
    number: u32 = 0, // How many entries there were so far.
    event_number: u32 = 0,
    scanner: record.Scanner,
    passed: std.ArrayList(Beside) = .empty,
    odd: std.ArrayList(Beside) = .empty, // Of the last body.
    beside: u32 = 0, // Bytes of what passes through or is odd.
    key: std.ArrayList(u8) = .empty,

    /// Take so many bytes that were put behind the others, of which the first stands at that place in the file.
    pub fn grow(self: *Reader, store: *Store, size: u32, where: u64) void {
        self.origin = where -% store.texts.items.len;
        store.texts.items.len += size;
    }

    /// Read on: blocks as they stand in the file, but for a single one that was compressed, which comes without
    /// what is around it, as so many events.
    pub fn run(self: *Reader, store: *Store, alone: u32, held_beside: u32) OutOfMemory!Stop {
        self.odd.items.len = 0;
        try bytes.ensureUnused(self.gpa, &store.texts, json.pad);
        @memset(store.texts.unusedCapacitySlice()[0..json.pad], 0);
        while (true) {
            if (store.size + self.beside + held_beside >= self.most or self.read() >= 2 * self.most) return .full;
            if (self.events.items.len > 0) {
                self.advance();
                self.take(store, self.event.body) catch |problem| switch (problem) {
                    error.Odd => return .body,
                    error.OutOfMemory => return error.OutOfMemory,
                };
                if (self.odd.items.len > 0) return .records;
                continue;
            }
            const end = store.texts.items.len;
            if (self.cursor == end) return .end;
            const found = if (alone > 0)
                try self.walk(store, .{ .at = @intCast(self.cursor), .size = @intCast(end - self.cursor) }, alone, 0)
            else
                try self.block(store);
            if (found) |stop| return stop;
        }
    }

    /// Forget what was not read.
    pub fn back(self: *Reader, store: *Store) void {
        self.events.items.len = 0;
        self.next = 0;
        store.texts.items.len = self.cursor;
    }

    /// Bring what was not read yet to a place before it.
    pub fn move(self: *Reader, store: *Store, place: usize) void {
        const start = self.fresh + self.read();
        const unread = store.texts.items[start..];
        @memmove(store.texts.items[place..][0..unread.len], unread);
        store.texts.items.len = place + unread.len;
        var kept: usize = 0;
        for (self.events.items[self.next..]) |event| {
            self.events.items[kept] = .{
                .all = .{ .at = @intCast(event.all.at - start + place), .size = event.all.size },
                .body = .{ .at = @intCast(event.body.at - start + place), .size = event.body.size },
            };
            kept += 1;
        }
        self.events.items.len = kept;
        self.next = 0;
        if (kept > 0) self.block_end = self.block_end - start + place;
        self.content = self.content -% @as(u32, @intCast(start)) +% @as(u32, @intCast(place));
        self.origin = self.origin +% start -% place;
        self.cursor = place;
        self.fresh = place;
    }

    /// Forget what passed through.
    pub fn forget(self: *Reader) void {
        self.passed.items.len = 0;
        self.beside = 0;
    }

    /// Go on to the next event; after the last one, beyond the block.
    fn advance(self: *Reader) void {
        self.event = self.events.items[self.next];
        self.event_number += 1;
        self.next += 1;
        if (self.next < self.events.items.len) return;
        self.events.items.len = 0;
        self.next = 0;
        self.cursor = self.block_end;
    }

    /// How many bytes were read since a part was cut, whether they are held or not.
    fn read(self: *const Reader) usize {
        if (self.next == 0) return self.cursor - self.fresh;
        const event = self.events.items[self.next - 1].all;
        return event.at + event.size - self.fresh;
    }

    /// Find the next block; gives why not, if it is not there as a whole, or not sound.
    fn block(self: *Reader, store: *Store) OutOfMemory!?Stop {
        const text = store.texts.items;
        var reader: avro.Reader = .{ .data = text, .at = self.cursor };
        const cut_off: Stop = if (text.len - self.cursor < 2 * avro.longest) .end else .block;
        const count = reader.long() catch return cut_off;
        const size = reader.long() catch return cut_off;
        if (count <= 0 or size <= 0 or count > most_events or size > largest) return .block;
        const end = reader.at + @as(usize, @intCast(size));
        if (end + sync_size > text.len) return .end;
        if (!std.mem.eql(u8, text[end..][0..sync_size], &self.sync)) return .block;
        return self.walk(store, .{ .at = @intCast(reader.at), .size = @intCast(size) }, @intCast(count), sync_size);
    }

    /// Find the events of a block, which must fill it.
    fn walk(self: *Reader, store: *Store, inside: Span, count: u32, after: usize) OutOfMemory!?Stop {
        if (count > most_events) return .block;
        const types: avro.Schema = .{ .text = self.schema.items };
        var reader: avro.Reader = .{ .data = store.texts.items[0 .. inside.at + inside.size], .at = inside.at };
        for (0..count) |_| {
            const start = reader.at;
            const body = types.event(&reader) catch return self.refused();
            try self.events.append(self.gpa, .{
                .all = .{ .at = @intCast(start), .size = @intCast(reader.at - start) },
                .body = body orelse return self.refused(),
            });
        }
        if (reader.at != reader.data.len) return self.refused();
        self.block_end = reader.at + after;
        self.packed_at = if (after == 0) self.origin +% self.cursor else null;
        self.content = inside.at;
        return null;
    }

    fn refused(self: *Reader) Stop {
        self.events.items.len = 0;
        return .block;
    }

    /// Take in the records of a body.
    fn take(self: *Reader, store: *Store, body: Span) record.Error!void {
        const text = store.texts.allocatedSlice()[0 .. store.texts.items.len + json.pad];
        try self.scanner.body(text, body);
        for (self.scanner.records.items, 0..) |*one, place| {
            switch (one.head.kind) {
                .administrative => try self.combine(store, one, one.text.in(text)),
                .passing => try self.put(&self.passed, one, place),
                .odd => try self.put(&self.odd, one, place),
            }
            self.number += 1;
        }
    }

    fn put(self: *Reader, list: *std.ArrayList(Beside), one: *const record.Scanned, place: usize) OutOfMemory!void {
        try list.append(self.gpa, .{
            .text = one.text,
            .category = .{ .at = one.text.at + one.head.category.at, .size = one.head.category.size },
            .number = self.number,
            .place = @intCast(place),
            .time = one.head.time,
        });
        self.beside += one.text.size + overhead;
    }

    fn combine(self: *Reader, store: *Store, one: *const record.Scanned, text: []const u8) OutOfMemory!void {
        const head = one.head;
        const parts = .{ head.correlation.size, head.operation.size, head.resource.size };
        try self.key.resize(self.gpa, parts[0] + parts[1] + parts[2]);
        bytes.lower(self.key.items, head.correlation.in(text));
        bytes.lower(self.key.items[parts[0]..], head.operation.in(text));
        bytes.lower(self.key.items[parts[0] + parts[1] ..], head.resource.in(text));
        const fields = self.scanner.fields.items[one.fields.at..][0..one.fields.size];
        const entry: Entry = .{
            .text = one.text,
            .number = self.number,
            .offset = self.packed_at orelse self.origin +% one.text.at,
            .place = if (self.packed_at != null) one.text.at -% self.content else 0,
            .category = head.category,
            .status = head.status,
            .time = head.time,
            .shape = head.shape,
        };
        try store.add(self.key.items, parts, fields, entry);
    }
};
