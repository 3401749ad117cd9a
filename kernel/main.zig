//! The kernel: from the bytes of a capture file to the condensed records of the operations that are whole in it.
//!
//! It runs in a sandbox of its own for each file. The app gives it blocks of the file and gets back what it can
//! take as it is; whatever is odd it leaves to the app's exact reader, which gives it entries in return.
//! `shared/capture/kernel.py` says how they talk.

const std = @import("std");
const bytes = @import("bytes.zig");
const json = @import("json.zig");
const Cut = @import("cut.zig").Cut;
const Event = @import("reader.zig").Event;
const Reader = @import("reader.zig").Reader;
const Span = @import("bytes.zig").Span;
const Store = @import("store.zig").Store;
const sync_size = @import("reader.zig").sync_size;

const gpa = std.heap.wasm_allocator;

pub const panic = std.debug.no_panic;

/// What the app reads after each call.
const State = extern struct {
    stop: u32 = 0,
    left: u32 = 0, // Bytes that were not read, since they are no whole block yet, or an odd one.
    number: u32 = 0,
    events: u32 = 0,
    held: u32 = 0,
    whole: u32 = 0,
    odd: u32 = 0,
    room: Span = .{}, // Where more of the file may be put, without asking.
    event: Event = .{},
    given: Span = .{}, // The room for something else.
    lists: [9]Span = @splat(.{}),
};

var state: State = .{};

/// The arguments of a call: calls that have some of their own cost the app much more.
var arguments: [4]u64 = @splat(0);

var reader: Reader = .{ .gpa = gpa, .scanner = .{ .gpa = gpa, .memo = .{ .gpa = gpa } } };
var store: Store = .{ .gpa = gpa };
var spare: Store = .{ .gpa = gpa };
var cut: Cut = .{ .gpa = gpa };
var given: std.ArrayList(u8) = .empty;

/// Where the state stands.
export fn status() *State {
    return &state;
}

/// Where the arguments are to be put before a call.
export fn asked() *[4]u64 {
    return &arguments;
}

fn argument(place: usize) u32 {
    return @intCast(arguments[place]);
}

/// Begin: a seed for hashes that nobody outside knows, and how much is held before a part has to be cut.
export fn begin() void {
    const most = argument(1);
    store.seed = arguments[0];
    spare.seed = arguments[0];
    reader.most = most;
    bytes.least = most + most / 2;
}

/// Make room for so many bytes of something that is no part of the file.
export fn room() void {
    given.resize(gpa, argument(0)) catch @trap();
    publish();
}

/// Learn what the file's header says: the bytes in that room are its sync marker, and the schema of its events.
export fn describe() void {
    @memcpy(&reader.sync, given.items[0..sync_size]);
    reader.schema.items.len = 0;
    reader.schema.appendSlice(gpa, given.items[sync_size..]) catch @trap();
}

/// Make room for that many bytes more of the file.
export fn reserve() void {
    bytes.ensureUnused(gpa, &store.texts, argument(0) + json.pad) catch @trap();
    publish();
}

/// Say how many entries and events there were, after some were read elsewhere.
export fn count() void {
    reader.number = argument(0);
    reader.event_number = argument(1);
    publish();
}

/// Read on, with so many bytes that were put behind the others, and where they stand in the file; and what
/// `Reader.run` wants to know.
export fn run() void {
    const size = argument(0);
    if (size > 0) reader.grow(&store, size, arguments[1]);
    const stop = reader.run(&store, argument(2), argument(3)) catch @trap();
    state.stop = @backingInt(stop);
    publish();
}

/// Forget what was not read, which the app reads itself.
export fn back() void {
    reader.back(&store);
    publish();
}

/// An entry that was read exactly, and that the app keeps under that number; how long the parts of its key are.
const Given = extern struct { number: u32, size: u32, status: u32, parts: [3]u32 };

/// Take in so many of them. In the room they stand, and behind them their keys, one after the other.
export fn add() void {
    const entries = argument(0);
    var at = entries * @sizeOf(Given);
    for (0..entries) |place| {
        const one = std.mem.bytesToValue(Given, given.items[place * @sizeOf(Given) ..][0..@sizeOf(Given)]);
        const size = one.parts[0] + one.parts[1] + one.parts[2];
        store.add(given.items[at..][0..size], one.parts, &.{}, .{
            .text = .{ .size = one.size },
            .number = one.number,
            .status = @fromBackingInt(@intCast(one.status)),
            .odd = true,
        }) catch @trap();
        at += size;
    }
    publish();
}

/// Choose what leaves, so that entries of no more than that many bytes stay.
export fn choose() void {
    cut.take(&store, argument(0)) catch @trap();
    publish();
}

/// Write the lines, after the app wrote the uids; what left is there for the app to look at until `settle`.
export fn leave() void {
    cut.write(&store) catch @trap();
    reader.forget();
    publish();
}

/// Forget what left.
export fn settle() void {
    spare.clear();
    const end = store.leave(cut.groups.items, &spare) catch @trap();
    std.mem.swap(Store, &store, &spare);
    reader.move(&store, end);
    publish();
}

fn publish() void {
    const unused = store.texts.unusedCapacitySlice();
    state = .{
        .stop = state.stop,
        .left = @intCast(store.texts.items.len - reader.cursor),
        .number = reader.number,
        .events = reader.event_number,
        .held = store.size + reader.beside,
        .whole = cut.whole,
        .odd = cut.odd,
        .room = .{ .at = @intCast(@intFromPtr(unused.ptr)), .size = @intCast(unused.len -| json.pad) },
        .event = reader.event,
        .given = of(given.items),
        .lists = .{
            of(store.texts.items), of(reader.odd.items), of(reader.passed.items), of(cut.rows.items),
            of(cut.members.items), of(cut.once.items),   of(cut.keys.items),      of(cut.uids.items),
            of(cut.lines.items),
        },
    };
}

fn of(items: anytype) Span {
    return .{ .at = @intCast(@intFromPtr(items.ptr)), .size = @intCast(std.mem.sliceAsBytes(items).len) };
}
