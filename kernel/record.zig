//! Records: the objects in an event's body, taken apart into their fields, and what we look at in them.

const std = @import("std");
const bytes = @import("bytes.zig");
const json = @import("json.zig");
const Memo = @import("memo.zig").Memo;
const time = @import("time.zig");
const Span = bytes.Span;

pub const Error = json.Error || std.mem.Allocator.Error;

/// A field, by its places in the record's text.
pub const Field = extern struct {
    name: u32,
    name_size: u32,
    value: u32,
    value_size: u32,

    pub fn nameIn(self: Field, text: []const u8) []const u8 {
        return text[self.name..][0..self.name_size];
    }

    /// Whether only the colon stands between its name and its value.
    pub fn isCompact(self: Field) bool {
        return self.value == self.name + self.name_size + "\":".len;
    }

    pub fn valueIn(self: Field, text: []const u8) []const u8 {
        return text[self.value..][0..self.value_size];
    }
};

pub const Status = enum(u32) { start, accept, success, failure, cancelled, none };

/// What becomes of a record: combined with others, handed on, or left to the exact reader.
pub const Kind = enum(u32) { administrative, passing, odd };

/// What we look at in a record; spans are of its text, without quotes.
pub const Head = struct {
    kind: Kind = .odd,
    category: Span = .{},
    correlation: Span = .{},
    operation: Span = .{},
    resource: Span = .{},
    status: Status = .none,
    keyed: bool = true, // Whether the three before the status are strings as they stand, or absent.
    time: i64 = 0,
    shape: u32 = 0,
};

/// A record that was scanned: where it stands in the body's text, and its fields.
pub const Scanned = struct { text: Span, fields: Span, head: Head };

const most_fields = 96;

/// Records of a body, and fields of them all: more would only fill memory.
const most_records = 1 << 18;
const most_in_all = 1 << 21;
const most_shapes = 16;
const longest_name = 255;

/// Scans bodies; what it found of the last one stays until the next.
pub const Scanner = struct {
    gpa: std.mem.Allocator,
    records: std.ArrayList(Scanned) = .empty,
    fields: std.ArrayList(Field) = .empty,
    shapes: std.ArrayList(Shape) = .empty,
    next_shape: u32 = 0,
    memo: Memo,
    last: usize = 0, // Which of the shapes was met last.

    // As in `shared/capture/records.py`.
    const few = 1000;
    const least = 16; // Bytes that records have on the average, where there are more than a few.

    /// Scan `{"records":[...]}`, which is what a span of the text should be.
    pub fn body(self: *Scanner, text: []const u8, span: Span) Error!void {
        self.records.items.len = 0;
        self.fields.items.len = 0;
        var at = json.white(text, span.at);
        if (text[at] != '{') return error.Odd;
        at = json.white(text, at + 1);
        if (!std.mem.startsWith(u8, text[at..], "\"records\"")) return error.Odd;
        const array = try json.colon(text, at + "\"records\"".len);
        at = try self.items(text, array);
        if (self.records.items.len > few and self.records.items.len * least > at - array) return error.Odd;
        at = json.white(text, at);
        if (text[at] != '}') return error.Odd;
        const end = span.at + span.size;
        // What stands behind the body is none of it, even if it looks like white space.
        if (at + 1 != end and json.white(text, at + 1) != end) return error.Odd;
    }

    fn items(self: *Scanner, text: []const u8, array: usize) Error!usize {
        if (text[array] != '[') return error.Odd;
        var at = json.white(text, array + 1);
        if (text[at] == ']') return at + 1;
        while (self.records.items.len < most_records) {
            at = json.white(text, try self.record(text, at));
            if (text[at] == ']') return at + 1;
            if (text[at] != ',') return error.Odd;
            at = json.white(text, at + 1);
        }
        return error.Odd;
    }

    fn record(self: *Scanner, text: []const u8, begin: usize) Error!usize {
        if (text[begin] != '{') return error.Odd;
        const first = self.fields.items.len;
        var guide: Guide = .{ .shape = if (self.shapes.items.len > 0) &self.shapes.items[self.last] else null };
        var head: Head = .{};
        var sound = true;
        var at = json.white(text, begin + 1);
        if (text[at] == '}') {
            sound = false;
        } else while (true) {
            const name = guide.next(text, at) orelse try nameAt(text, at);
            var end: usize = undefined;
            var plain = false;
            if (text[name.value] == '"') {
                const string = try json.string(text, name.value + 1);
                end = string.end;
                plain = string.plain;
            } else end = try json.value(&self.memo, text, name.value);
            if (self.fields.items.len == most_in_all) return error.Odd;
            try self.fields.append(self.gpa, .{
                .name = @intCast(at + 1 - begin),
                .name_size = name.size,
                .value = @intCast(name.value - begin),
                .value_size = @intCast(end - name.value),
            });
            if (!note(&head, text, begin, name, end, plain)) sound = false;
            at = json.white(text, end);
            if (text[at] == '}') break;
            if (text[at] != ',') return error.Odd;
            at = json.white(text, at + 1);
        }
        at += 1;
        const whole = text[begin..at];
        const size = self.fields.items.len - first;
        if (sound) {
            if (guide.id() orelse try self.shapeOf(whole, self.fields.items[first..])) |shape| {
                head.kind = kindOf(head, whole);
                head.shape = shape;
            }
        }
        try self.records.append(self.gpa, .{
            .text = .{ .at = @intCast(begin), .size = @intCast(whole.len) },
            .fields = .{ .at = @intCast(first), .size = @intCast(size) },
            .head = head,
        });
        return at;
    }

    /// The shape of the fields; null if one of them stands twice.
    fn shapeOf(self: *Scanner, text: []const u8, fields: []const Field) Error!?u32 {
        for (self.shapes.items, 0..) |shape, number| {
            if (!shape.fits(text, fields)) continue;
            self.last = number;
            return shape.id;
        }
        if (fields.len > most_fields) return null;
        for (fields, 0..) |one, number| {
            for (fields[0..number]) |two| {
                if (bytes.equal(one.nameIn(text), two.nameIn(text))) return null;
            }
        }
        var made: Shape = .{ .id = self.next_shape };
        self.next_shape += 1;
        for (fields) |field| {
            const name = field.nameIn(text);
            try made.labels.append(self.gpa, .{
                .at = @intCast(made.text.items.len),
                .size = @intCast(name.len + "\"\":".len),
                .role = roleOf(name),
            });
            try made.text.print(self.gpa, "\"{s}\":", .{name});
        }
        if (self.shapes.items.len < most_shapes) {
            self.last = self.shapes.items.len;
            try self.shapes.append(self.gpa, made);
        } else {
            // Any may go: if there are more records like it, it comes back.
            self.last = (self.last + 1) % most_shapes;
            self.shapes.items[self.last].deinit(self.gpa);
            self.shapes.items[self.last] = made;
        }
        return made.id;
    }
};

/// The names of a record's fields in their order. The same id says that they are the same.
const Shape = struct {
    id: u32,
    labels: std.ArrayList(Label) = .empty,
    text: std.ArrayList(u8) = .empty,

    fn deinit(self: *Shape, gpa: std.mem.Allocator) void {
        self.labels.deinit(gpa);
        self.text.deinit(gpa);
    }

    fn fits(self: Shape, text: []const u8, fields: []const Field) bool {
        if (fields.len != self.labels.items.len) return false;
        for (self.labels.items, fields) |label, field| {
            const own = self.text.items[label.at..][0..label.size];
            if (!bytes.equal(own["\"".len .. own.len - "\":".len], field.nameIn(text))) return false;
        }
        return true;
    }
};

/// A name in a shape's text, with its quotes and a colon.
const Label = struct { at: u32, size: u32, role: Role };

/// What a field is to us, by its name.
const Role = enum { other, time, category, correlation, operation, resource, status, odd };

/// A field's name: how long it is, what it is to us, and where the value begins.
const Name = struct { size: u32, role: Role, value: usize };

/// Goes through a record's names as long as they are those of a shape, since most records are like the one before.
const Guide = struct {
    shape: ?*const Shape,
    number: usize = 0,

    /// The name at a place, if it is the shape's next one.
    inline fn next(self: *Guide, text: []const u8, at: usize) ?Name {
        const shape = self.shape orelse return null;
        if (self.number < shape.labels.items.len) {
            const label = shape.labels.items[self.number];
            if (label.size <= text.len - at) {
                if (bytes.equal(shape.text.items[label.at..][0..label.size], text[at..][0..label.size])) {
                    self.number += 1;
                    return .{
                        .size = label.size - "\"\":".len,
                        .role = label.role,
                        .value = json.white(text, at + label.size),
                    };
                }
            }
        }
        self.shape = null;
        return null;
    }

    /// The id of the shape, if all names were there.
    fn id(self: Guide) ?u32 {
        const shape = self.shape orelse return null;
        return if (self.number == shape.labels.items.len) shape.id else null;
    }
};

fn nameAt(text: []const u8, at: usize) Error!Name {
    if (text[at] != '"') return error.Odd;
    const name = try json.string(text, at + 1);
    const size = name.end - at - 2;
    return .{
        .size = @intCast(size),
        .role = if (name.plain and size <= longest_name) roleOf(text[at + 1 ..][0..size]) else .odd,
        .value = try json.colon(text, name.end),
    };
}

fn roleOf(name: []const u8) Role {
    inline for (.{
        .{ "time", Role.time },
        .{ "category", Role.category },
        .{ "correlationId", Role.correlation },
        .{ "operationName", Role.operation },
        .{ "resourceId", Role.resource },
        .{ "resultType", Role.status },
        .{ "azure_activity_administrative_condensed", Role.odd },
    }) |known| {
        if (std.mem.eql(u8, name, known[0])) return known[1];
    }
    return .other;
}

/// Remember a field's value if we look at it; false if the record is odd.
inline fn note(head: *Head, text: []const u8, begin: usize, name: Name, end: usize, plain: bool) bool {
    const place = switch (name.role) {
        .other => return true,
        .odd => return false,
        .time => return noteTime(head, text[name.value..end], plain),
        .status => {
            head.status = if (plain) statusOf(text[name.value + 1 .. end - 1]) else .none;
            return true;
        },
        .category => &head.category,
        .correlation => &head.correlation,
        .operation => &head.operation,
        .resource => &head.resource,
    };
    if (!plain) {
        head.keyed = false;
        return name.role != .category;
    }
    place.* = .{ .at = @intCast(name.value + 1 - begin), .size = @intCast(end - name.value - 2) };
    return true;
}

fn noteTime(head: *Head, value: []const u8, plain: bool) bool {
    if (!plain) return false;
    head.time = time.nanoseconds(value[1 .. value.len - 1]) orelse return false;
    return true;
}

/// What becomes of a record in which no field is odd by itself.
fn kindOf(head: Head, text: []const u8) Kind {
    if (head.time == 0 or head.category.size == 0) return .odd;
    if (!isAdministrative(head.category.in(text))) return .passing;
    const sound = head.keyed and head.correlation.size > 0 and head.status != .none;
    return if (sound) .administrative else .odd;
}

fn isAdministrative(category: []const u8) bool {
    inline for (.{ "administrative", "write", "delete", "action" }) |name| {
        if (std.ascii.eqlIgnoreCase(category, name)) return true;
    }
    return false;
}

/// The folded status; none if it is one that only the exact reader folds.
fn statusOf(name: []const u8) Status {
    inline for (.{
        .{ "start", Status.start },         .{ "started", Status.start },
        .{ "accept", Status.accept },       .{ "accepted", Status.accept },
        .{ "success", Status.success },     .{ "succeeded", Status.success },
        .{ "failure", Status.failure },     .{ "failed", Status.failure },
        .{ "cancelled", Status.cancelled }, .{ "canceled", Status.cancelled },
    }) |known| {
        if (std.ascii.eqlIgnoreCase(name, known[0])) return known[1];
    }
    return .none;
}
