//! The kernel: from the bytes of a capture file to the condensed records of the operations that are whole in it.
//!
//! It runs in a sandbox of its own for each file. The app gives it blocks of the file and gets back what it can
//! take as it is; whatever is odd it leaves to the app's exact reader, which gives it entries in return.
//! `shared/capture/kernel.py` says how they talk.

const std = @import("std");
const avro = @import("avro.zig");
const bytes = @import("bytes.zig");
const json = @import("json.zig");
const record = @import("record.zig");
const Cut = @import("cut.zig").Cut;
const Entry = @import("store.zig").Entry;
const Span = record.Span;
const Store = @import("store.zig").Store;
const overhead = @import("store.zig").overhead;

const gpa = std.heap.wasm_allocator;

pub const panic = std.debug.no_panic;

/// Why `run` stops.
const Stop = enum(u32) {
    end, // All blocks that are there as a whole are done; the rest waits for more.
    full, // A part has to be cut.
    body, // The body of the event `event` has to be read exactly.
    records, // Records of the last body have to be read exactly: those in `odd`.
    block, // The block at `at` has to be read exactly.
};

/// A record that passes through, or is odd, and its place in its body. Its text is in the store.
const Beside = extern struct { text: Span, category: Span, number: u32, place: u32, time: i64 };

/// An event: where it stands in the store's texts, and its body; without one, its size is `no_body`.
const Event = extern struct { at: u32, size: u32, body: Span };
const no_body = std.math.maxInt(u32);

const sync_size = 16;

/// Bytes that a block may have, as in `shared/capture/avro.py`.
const largest = 1 << 26;

/// Events that a block may have, since each takes memory, however short it is.
const most_events = 1 << 20;

/// What the app reads after each call.
const State = extern struct {
    stop: u32 = 0,
    left: u32 = 0,
    number: u32 = 0,
    events: u32 = 0,
    held: u32 = 0,
    whole: u32 = 0,
    odd: u32 = 0,
    room: Span = .{}, // Where more of the file may be put, without asking.
    event: Event = std.mem.zeroes(Event),
    lists: [10]Span = @splat(.{}),
};

var state: State = .{};
var store: Store = .{ .gpa = gpa };
var spare: Store = .{ .gpa = gpa };
var cut: Cut = .{ .gpa = gpa };
var scanner: record.Scanner = .{ .gpa = gpa };
var cursor: usize = 0; // In the store's texts; what stands there and behind was not read yet.
var fresh: usize = 0; // Where what came since the last cut begins.
var schema: std.ArrayList(u8) = .empty;
var sync: [sync_size]u8 = undefined;
var most: u32 = 0;
var beside: u32 = 0;
var events: std.ArrayList(Event) = .empty;
var next_event: usize = 0;
var block_end: usize = 0;
var passed: std.ArrayList(Beside) = .empty;
var odd: std.ArrayList(Beside) = .empty;
var key: std.ArrayList(u8) = .empty;
var given: std.ArrayList(u8) = .empty;

/// Where the state stands.
export fn status() *State {
    return &state;
}

/// Make room for that many bytes more of the file.
export fn reserve(size: u32) void {
    bytes.ensureUnused(gpa, &store.texts, size + json.pad) catch @trap();
    publish();
}

/// Begin: a seed for hashes that nobody outside knows, and how much is held before a part has to be cut.
export fn begin(seed: u64, most_held: u32) void {
    store.seed = seed;
    spare.seed = seed;
    most = most_held;
}

/// Learn what the file's header says: the bytes in that room are its sync marker, and the schema of its events.
export fn describe() void {
    @memcpy(&sync, given.items[0..sync_size]);
    schema.items.len = 0;
    schema.appendSlice(gpa, given.items[sync_size..]) catch @trap();
}

/// Read on, with so many bytes that were put behind the others: blocks of the file as they stand in it, but for
/// a single one that was compressed, which comes without what is around it, as so many events.
export fn run(size: u32, alone: u32, held_beside: u32) void {
    store.texts.items.len += size;
    state.stop = @intFromEnum(go(alone, held_beside) catch @trap());
    state.left = @intCast(store.texts.items.len - cursor);
    publish();
}

/// Forget what was not read, which the app reads itself.
export fn back() void {
    events.items.len = 0;
    next_event = 0;
    store.texts.items.len = cursor;
    state.left = 0;
    publish();
}

fn go(alone: u32, held_beside: u32) std.mem.Allocator.Error!Stop {
    odd.items.len = 0;
    try bytes.ensureUnused(gpa, &store.texts, json.pad);
    @memset(store.texts.unusedCapacitySlice()[0..json.pad], 0);
    while (true) {
        if (store.size + beside + held_beside >= most or read() >= 2 * most) return .full;
        if (events.items.len > 0) {
            state.event = events.items[next_event];
            state.events += 1;
            advance();
            if (state.event.body.size == no_body) return .body;
            take(state.event.body) catch |problem| switch (problem) {
                error.Odd => return .body,
                error.OutOfMemory => return error.OutOfMemory,
            };
            if (odd.items.len > 0) return .records;
            continue;
        }
        const end = store.texts.items.len;
        if (cursor == end) return .end;
        const found = if (alone > 0) try walk(cursor, end, alone, 0) else try block();
        if (found) |stop| return stop;
    }
}

/// Go on to the next event, or beyond the block.
fn advance() void {
    next_event += 1;
    if (next_event < events.items.len) return;
    events.items.len = 0;
    next_event = 0;
    cursor = block_end;
}

/// How many bytes were read since a part was cut, whether they are held or not.
fn read() usize {
    const event = if (next_event > 0) events.items[next_event - 1] else return cursor - fresh;
    return event.at + event.size - fresh;
}

/// Find the next block; gives why not, if it is not there as a whole, or not sound.
fn block() std.mem.Allocator.Error!?Stop {
    const text = store.texts.items;
    var reader: avro.Reader = .{ .data = text, .at = cursor };
    const cut_off: Stop = if (text.len - cursor < 2 * avro.longest) .end else .block;
    const count = reader.long() catch return cut_off;
    const size = reader.long() catch return cut_off;
    if (count <= 0 or size <= 0 or count > size or size > largest) return .block;
    const end = reader.at + @as(usize, @intCast(size));
    if (end + sync_size > text.len) return .end;
    if (!std.mem.eql(u8, text[end..][0..sync_size], &sync)) return .block;
    return walk(reader.at, end, @intCast(count), sync_size);
}

/// Find the events of a block, which must fill it.
fn walk(at: usize, end: usize, count: u32, after: usize) std.mem.Allocator.Error!?Stop {
    const types: avro.Schema = .{ .text = schema.items };
    var reader: avro.Reader = .{ .data = store.texts.items[0..end], .at = at };
    if (count > most_events) return refused();
    for (0..count) |_| {
        const start = reader.at;
        const body = types.event(&reader) catch return refused();
        const found: Span = if (body) |text|
            .{ .at = @intCast(@intFromPtr(text.ptr) - @intFromPtr(store.texts.items.ptr)), .size = @intCast(text.len) }
        else
            .{ .size = no_body };
        try events.append(gpa, .{ .at = @intCast(start), .size = @intCast(reader.at - start), .body = found });
    }
    if (reader.at != end) return refused();
    block_end = end + after;
    return null;
}

fn refused() Stop {
    events.items.len = 0;
    return .block;
}

/// Take in the records of a body.
fn take(body: Span) record.Error!void {
    const text = store.texts.allocatedSlice()[0 .. store.texts.items.len + json.pad];
    try scanner.body(text, body.at, body.at + body.size);
    for (scanner.records.items, 0..) |*one, place| {
        switch (one.head.kind) {
            .administrative => try combine(one, one.text.in(text)),
            .passing => try put(&passed, one, place),
            .odd => try put(&odd, one, place),
        }
        state.number += 1;
    }
}

fn put(list: *std.ArrayList(Beside), one: *const record.Scanned, place: usize) std.mem.Allocator.Error!void {
    try list.append(gpa, .{
        .text = one.text,
        .category = .{ .at = one.text.at + one.head.category.at, .size = one.head.category.size },
        .number = state.number,
        .place = @intCast(place),
        .time = one.head.time,
    });
    beside += one.text.size + overhead;
}

fn combine(one: *const record.Scanned, text: []const u8) std.mem.Allocator.Error!void {
    const head = one.head;
    key.items.len = 0;
    for ([_]Span{ head.correlation, head.operation, head.resource }) |part| {
        const place = key.items.len;
        try key.appendSlice(gpa, part.in(text));
        for (key.items[place..]) |*byte| byte.* = std.ascii.toLower(byte.*);
    }
    const parts = .{ head.correlation.size, head.operation.size, head.resource.size };
    const fields = scanner.fields.items[one.fields.at..][0..one.fields.size];
    const entry: Entry = .{
        .text = one.text,
        .number = state.number,
        .category = head.category,
        .status = head.status,
        .time = head.time,
        .shape = head.shape,
    };
    try store.add(key.items, parts, fields, entry);
}

/// Make room for so many bytes of something else; gives where to put them.
export fn room(size: u32) [*]u8 {
    given.resize(gpa, size) catch @trap();
    return given.items.ptr;
}

/// Take in an entry of so many bytes that was read exactly, and that the app keeps. In that room stands its key,
/// the parts one after the other.
export fn add(number: u32, size: u32, code: u32, correlation: u32, operation: u32, resource: u32) void {
    const entry: Entry = .{ .text = .{ .size = size }, .number = number, .status = @enumFromInt(code), .odd = true };
    store.add(given.items, .{ correlation, operation, resource }, &.{}, entry) catch @trap();
    publish();
}

/// Choose what leaves, so that entries of no more than that many bytes stay.
export fn choose(stay: u32) void {
    cut.take(&store, stay) catch @trap();
    publish();
}

/// Write the lines, after the app wrote the uids; and forget what left, and what passed through.
export fn leave() void {
    cut.write(&store) catch @trap();
    spare.clear();
    store.leave(cut.groups.items, &spare) catch @trap();
    move() catch @trap();
    passed.items.len = 0;
    beside = 0;
    std.mem.swap(Store, &store, &spare);
    publish();
}

/// Bring what was not read yet behind the texts that stay.
fn move() std.mem.Allocator.Error!void {
    const start = fresh + read();
    const place = spare.texts.items.len;
    const unread = store.texts.items[start..];
    try bytes.ensureUnused(gpa, &spare.texts, unread.len);
    spare.texts.appendSliceAssumeCapacity(unread);
    var kept: usize = 0;
    for (events.items[next_event..]) |one| {
        var event = one;
        event.at = @intCast(event.at - start + place);
        if (event.body.size != no_body) event.body.at = @intCast(event.body.at - start + place);
        events.items[kept] = event;
        kept += 1;
    }
    events.items.len = kept;
    next_event = 0;
    if (kept > 0) block_end = block_end - start + place;
    cursor = place;
    fresh = place;
}

fn publish() void {
    state.held = store.size + beside;
    const unused = store.texts.unusedCapacitySlice();
    state.room = .{ .at = @intCast(@intFromPtr(unused.ptr)), .size = @intCast(unused.len -| json.pad) };
    state.whole = cut.whole;
    state.odd = cut.odd;
    state.lists = .{
        of(store.texts.items), of(odd.items),         of(passed.items),
        of(cut.rows.items),    of(cut.members.items), of(cut.numbers.items),
        of(cut.keys.items),    of(cut.uids.items),    of(cut.lines.items),
        of(cut.texts.items),
    };
}

fn of(items: anytype) Span {
    return .{ .at = @intCast(@intFromPtr(items.ptr)), .size = @intCast(std.mem.sliceAsBytes(items).len) };
}
