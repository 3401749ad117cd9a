//! The kernel: from the bytes of a capture file to the condensed records of the operations that are whole in it.
//!
//! It runs in a sandbox of its own for each file. The app gives it blocks of the file and gets back what it can
//! take as it is; whatever is odd it leaves to the app's exact reader, which gives it entries in return.
//! `shared/capture/kernel.py` says how they talk.

const std = @import("std");
const avro = @import("avro.zig");
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
    end, // All blocks that are there as a whole are done.
    full, // A part has to be cut.
    body, // The body of the event `event` has to be read exactly.
    records, // Records of the last body have to be read exactly: those in `odd`.
    block, // The block at `at` has to be read exactly.
};

/// A record that passes through, or is odd, and its place in its body. Its text is in the list `passed_texts`, or in the input.
const Beside = extern struct { text: Span, category: Span, number: u32, place: u32, time: i64 };

/// An event: where it stands in the input, and its body; without one, its size is `no_body`.
const Event = extern struct { at: u32, size: u32, body: Span };
const no_body = std.math.maxInt(u32);

const sync_size = 16;

/// What the app reads after each call.
const State = extern struct {
    stop: u32 = 0,
    at: u32 = 0,
    number: u32 = 0,
    events: u32 = 0,
    held: u32 = 0,
    event: Event = std.mem.zeroes(Event),
    lists: [10]Span = @splat(.{}),
};

var state: State = .{};
var store: Store = .{ .gpa = gpa };
var spare: Store = .{ .gpa = gpa };
var cut: Cut = .{ .gpa = gpa };
var scanner: record.Scanner = .{ .gpa = gpa };
var input: std.ArrayList(u8) = .empty;
var input_size: usize = 0;
var schema: std.ArrayList(u8) = .empty;
var sync: [sync_size]u8 = undefined;
var most: u32 = 0;
var beside: u32 = 0;
var events: std.ArrayList(Event) = .empty;
var next_event: usize = 0;
var block_end: usize = 0;
var passed: std.ArrayList(Beside) = .empty;
var passed_texts: std.ArrayList(u8) = .empty;
var odd: std.ArrayList(Beside) = .empty;
var key: std.ArrayList(u8) = .empty;
var given: std.ArrayList(u8) = .empty;

/// Where the state stands.
export fn status() *State {
    return &state;
}

/// Make room for that many bytes of input; gives where to put them.
export fn reserve(size: u32) [*]u8 {
    input.resize(gpa, size + json.pad) catch @trap();
    return input.items.ptr;
}

/// Begin: a seed for hashes that nobody outside knows, and how much is held before a part has to be cut.
export fn begin(seed: u64, most_held: u32) void {
    store.seed = seed;
    spare.seed = seed;
    most = most_held;
}

/// Learn what the file's header says: so many bytes of input are its sync marker, and the schema of its events.
export fn describe(size: u32) void {
    @memcpy(&sync, input.items[0..sync_size]);
    schema.clearRetainingCapacity();
    schema.appendSlice(gpa, input.items[sync_size..size]) catch @trap();
}

/// Read so many bytes of new input, or go on in what there is: blocks of the file as they stand in it, but for
/// a single one that was compressed, which comes without what is around it, as so many events.
export fn run(size: u32, alone: u32, held_beside: u32) void {
    if (size > 0) {
        input_size = size;
        @memset(input.items[size..][0..json.pad], 0);
        state.at = 0;
    }
    state.stop = @intFromEnum(go(alone, held_beside) catch @trap());
    publish();
}

fn go(alone: u32, held_beside: u32) std.mem.Allocator.Error!Stop {
    odd.clearRetainingCapacity();
    while (true) {
        if (store.size + beside + held_beside >= most) return .full;
        if (next_event < events.items.len) {
            state.event = events.items[next_event];
            next_event += 1;
            state.events += 1;
            if (state.event.body.size == no_body) return .body;
            take(state.event.body) catch |problem| switch (problem) {
                error.Odd => return .body,
                error.OutOfMemory => return error.OutOfMemory,
            };
            if (odd.items.len > 0) return .records;
            continue;
        }
        if (events.items.len > 0) {
            events.clearRetainingCapacity();
            next_event = 0;
            state.at = @intCast(block_end);
        }
        if (state.at == input_size) return .end;
        const found = if (alone > 0) try walk(state.at, input_size, alone, 0) else try block();
        if (found) |stop| return stop;
    }
}

/// Find the next block; gives why not, if it is not there as a whole, or not sound.
fn block() std.mem.Allocator.Error!?Stop {
    var reader: avro.Reader = .{ .data = input.items[0..input_size], .at = state.at };
    const count = reader.long() catch return .end;
    const size = reader.long() catch return .end;
    if (count <= 0 or size <= 0 or count > size) return .block;
    if (size > input_size - reader.at or input_size - reader.at - @as(usize, @intCast(size)) < sync_size) return .end;
    const end = reader.at + @as(usize, @intCast(size));
    if (!std.mem.eql(u8, input.items[end..][0..sync_size], &sync)) return .block;
    return walk(reader.at, end, @intCast(count), sync_size);
}

/// Find the events of a block, which must fill it.
fn walk(at: usize, end: usize, count: u32, after: usize) std.mem.Allocator.Error!?Stop {
    const types: avro.Schema = .{ .text = schema.items };
    var reader: avro.Reader = .{ .data = input.items[0..end], .at = at };
    for (0..count) |_| {
        const start = reader.at;
        const body = types.event(&reader) catch return refused();
        const found: Span = if (body) |text|
            .{ .at = @intCast(@intFromPtr(text.ptr) - @intFromPtr(input.items.ptr)), .size = @intCast(text.len) }
        else
            .{ .size = no_body };
        try events.append(gpa, .{ .at = @intCast(start), .size = @intCast(reader.at - start), .body = found });
    }
    if (reader.at != end) return refused();
    block_end = end + after;
    return null;
}

fn refused() Stop {
    events.clearRetainingCapacity();
    return .block;
}

/// Take in the records of a body.
fn take(body: Span) record.Error!void {
    try scanner.body(input.items, body.at, body.at + body.size);
    for (scanner.records.items, 0..) |*one, number| {
        const text = one.text.in(input.items);
        switch (one.head.kind) {
            .administrative => try combine(one, text),
            .passing => {
                const place: u32 = @intCast(passed_texts.items.len);
                try passed_texts.appendSlice(gpa, text);
                try put(&passed, one, place, number);
            },
            .odd => try put(&odd, one, one.text.at, number),
        }
        state.number += 1;
    }
}

fn put(list: *std.ArrayList(Beside), one: *const record.Scanned, at: u32, number: usize) std.mem.Allocator.Error!void {
    try list.append(gpa, .{
        .text = .{ .at = at, .size = one.text.size },
        .category = .{ .at = at + one.head.category.at, .size = one.head.category.size },
        .number = state.number,
        .place = @intCast(number),
        .time = one.head.time,
    });
    beside += one.text.size + overhead;
}

fn combine(one: *const record.Scanned, text: []const u8) std.mem.Allocator.Error!void {
    const head = one.head;
    key.clearRetainingCapacity();
    for ([_]Span{ head.correlation, head.operation, head.resource }) |part| {
        const place = key.items.len;
        try key.appendSlice(gpa, part.in(text));
        for (key.items[place..]) |*byte| byte.* = std.ascii.toLower(byte.*);
    }
    const parts = .{ head.correlation.size, head.operation.size, head.resource.size };
    const fields = scanner.fields.items[one.fields.at..][0..one.fields.size];
    const entry: Entry = .{
        .text = .{},
        .number = state.number,
        .category = head.category,
        .status = head.status,
        .time = head.time,
    };
    try store.add(key.items, parts, text, fields, entry);
}

/// Make room for that many bytes of an entry that was read exactly; gives where to put them.
export fn room(size: u32) [*]u8 {
    given.resize(gpa, size) catch @trap();
    return given.items.ptr;
}

/// Take in an entry that was read exactly; in that room stand its key, the parts one after the other, and its text.
export fn add(number: u32, code: u32, correlation: u32, operation: u32, resource: u32) void {
    const size = correlation + operation + resource;
    const entry: Entry = .{ .text = .{}, .number = number, .status = @enumFromInt(code), .odd = true };
    const text = given.items[size..];
    store.add(given.items[0..size], .{ correlation, operation, resource }, text, &.{}, entry) catch @trap();
    publish();
}

/// Choose what leaves, so that entries of no more than that many bytes stay.
export fn choose(stay: u32) void {
    cut.take(&store, stay) catch @trap();
    publish();
}

/// Write the lines, after the app wrote the uids; and forget what left.
export fn leave() void {
    cut.write(&store) catch @trap();
    spare.clear();
    store.leave(cut.groups.items, &spare) catch @trap();
    std.mem.swap(Store, &store, &spare);
    publish();
}

/// Forget what passed through.
export fn forget() void {
    passed.clearRetainingCapacity();
    passed_texts.clearRetainingCapacity();
    beside = 0;
    publish();
}

fn publish() void {
    state.held = store.size + beside;
    state.lists = .{
        of(odd.items),         of(passed.items),   of(passed_texts.items),
        of(cut.rows.items),    of(cut.members.items), of(cut.numbers.items),
        of(cut.keys.items),    of(cut.uids.items), of(cut.lines.items),
        of(cut.texts.items),
    };
}

fn of(items: anytype) Span {
    return .{ .at = @intCast(@intFromPtr(items.ptr)), .size = @intCast(std.mem.sliceAsBytes(items).len) };
}
