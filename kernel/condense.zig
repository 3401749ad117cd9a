//! The condensed record of a whole operation, made of slices of its entries. The format is that of
//! `shared/capture/condense.py`, which says what each field means.

const std = @import("std");
const bytes = @import("bytes.zig");
const record = @import("record.zig");
const Store = @import("store.zig").Store;
const Entry = @import("store.zig").Entry;
const Status = record.Status;

const Error = std.mem.Allocator.Error;

/// Writes texts one after the other into a place that has room for all of them.
const Writer = struct {
    place: []u8,
    at: usize = 0,

    inline fn add(self: *Writer, text: []const u8) void {
        bytes.copy(self.place[self.at..], text);
        self.at += text.len;
    }

    fn number(self: *Writer, value: usize) void {
        var digits: [20]u8 = undefined;
        self.add(std.fmt.bufPrint(&digits, "{d}", .{value}) catch unreachable);
    }
};

/// Write the record's line of the entries, which are in order, each once, with a Start and an end among them.
pub fn condense(store: *Store, entries: []const u32, uid: []const u8, list: *std.ArrayList(u8)) Error!void {
    var firsts: [statuses]?u32 = @splat(null);
    var order: [statuses]u32 = undefined;
    var distinct: usize = 0;
    var starts: usize = 0;
    var outcome: Status = .none;
    for (entries) |number| {
        const entry = store.entries.items[number];
        if (entry.status == .start) starts += 1;
        if (entry.ends()) outcome = entry.status;
        const first = &firsts[@backingInt(entry.status)];
        if (first.* == null) {
            first.* = number;
            order[distinct] = number;
            distinct += 1;
        }
    }
    const base: Taken = .of(store, firsts[@backingInt(Status.start)].?);
    var room: usize = around + base.text.len;
    for (base.fields) |field| room += distinct * (field.name_size + "\"\",".len);
    for (entries) |number| room += store.entries.items[number].text.size + 1;
    try bytes.ensureUnused(store.gpa, list, room);
    var writer: Writer = .{ .place = list.unusedCapacitySlice() };
    const out = &writer;
    out.add("{");
    base.lend(out);
    out.add("\"azure_activity_administrative_condensed\":{\"num_correlated_records\":");
    out.number(entries.len);
    out.add(",\"statuses\":{");
    for (order[0..distinct], 0..) |number, place| {
        if (place > 0) out.add(",");
        out.add("\"");
        out.add(@tagName(store.entries.items[number].status));
        out.add("\":{");
        differing(out, .of(store, number), base);
        out.add("}");
    }
    out.add("}");
    additional(out, store, entries, firsts);
    absent(out, store, order[0..distinct], base);
    out.add(",\"attempts\":");
    out.number(starts);
    out.add(",\"outcome\":\"");
    out.add(@tagName(outcome));
    out.add("\",\"uid\":\"");
    out.add(uid);
    out.add("\",\"revision\":1}}\n");
    list.items.len += writer.at;
}

const statuses: usize = @backingInt(Status.none);

/// More than all bytes of a record that are in no entry.
const around = 1024;

/// An entry with its fields.
const Taken = struct {
    text: []const u8,
    fields: []const record.Field,
    shape: u32,

    fn of(store: *Store, number: u32) Taken {
        const entry = store.entries.items[number];
        return .{
            .text = entry.text.in(store.texts.items),
            .fields = store.fields.items[entry.fields.at..][0..entry.fields.size],
            .shape = entry.shape,
        };
    }

    /// Write the fields that the base lends, each with a comma; at once where they stand together.
    fn lend(self: Taken, out: *Writer) void {
        var begin: usize = 0;
        var end: usize = 0;
        for (self.fields) |field| {
            if (isPerEntry(field.nameIn(self.text))) continue;
            const is_next = end > 0 and field.name == end + ",\"".len and field.isCompact() and self.text[end] == ',';
            if (!is_next) {
                if (end > 0) out.add(self.text[begin..end]);
                if (end > 0) out.add(",");
                if (!field.isCompact()) {
                    self.write(out, field);
                    out.add(",");
                    end = 0;
                    continue;
                }
                begin = field.name - 1;
            }
            end = field.value + field.value_size;
        }
        if (end == 0) return;
        out.add(self.text[begin..end]);
        out.add(",");
    }

    fn write(self: Taken, out: *Writer, field: record.Field) void {
        const begin = field.name - 1;
        if (field.isCompact()) return out.add(self.text[begin .. field.value + field.value_size]);
        out.add(self.text[begin .. field.name + field.name_size + 1]);
        out.add(":");
        out.add(field.valueIn(self.text));
    }

    /// The place of the field of that name; it is looked for at the same place first.
    fn find(self: Taken, name: []const u8, place: usize) ?usize {
        if (place < self.fields.len and bytes.equal(self.fields[place].nameIn(self.text), name)) return place;
        for (self.fields, 0..) |field, other| {
            if (bytes.equal(field.nameIn(self.text), name)) return other;
        }
        return null;
    }
};

/// The fields in which an entry differs from what the base lends.
fn differing(out: *Writer, entry: Taken, base: Taken) void {
    var is_first = true;
    for (entry.fields, 0..) |field, place| {
        const name = field.nameIn(entry.text);
        if (!isPerEntry(name)) {
            const found = if (entry.shape == base.shape) place else base.find(name, place);
            if (found) |other| {
                const lent = base.fields[other].valueIn(base.text);
                if (bytes.equal(lent, field.valueIn(entry.text))) continue;
            }
        }
        if (!is_first) out.add(",");
        is_first = false;
        entry.write(out, field);
    }
}

/// The entries that are not the first of their status, whole.
fn additional(out: *Writer, store: *Store, entries: []const u32, firsts: [statuses]?u32) void {
    var is_first = true;
    for (entries) |number| {
        const entry = store.entries.items[number];
        if (firsts[@backingInt(entry.status)] == number) continue;
        out.add(if (is_first) ",\"additional_records\":[" else ",");
        is_first = false;
        out.add(entry.text.in(store.texts.items));
    }
    if (!is_first) out.add("]");
}

/// By status, the fields of the base that its first entry lacks.
fn absent(out: *Writer, store: *Store, order: []const u32, base: Taken) void {
    var is_first_status = true;
    for (order) |number| {
        const entry: Taken = .of(store, number);
        if (entry.shape == base.shape) continue;
        var is_first = true;
        for (base.fields, 0..) |field, place| {
            const name = field.nameIn(base.text);
            if (isPerEntry(name) or entry.find(name, place) != null) continue;
            if (is_first) {
                out.add(if (is_first_status) ",\"absent\":{\"" else "],\"");
                out.add(@tagName(store.entries.items[number].status));
                out.add("\":[\"");
            } else out.add(",\"");
            is_first = false;
            is_first_status = false;
            out.add(name);
            out.add("\"");
        }
    }
    if (!is_first_status) out.add("]}");
}

/// Whether each entry has the field for itself, so that the base does not lend it.
fn isPerEntry(name: []const u8) bool {
    return std.mem.eql(u8, name, "properties") or std.mem.eql(u8, name, "resultSignature");
}
