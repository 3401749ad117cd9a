//! Avro's binary encoding, as far as the events of a capture file need it
//! (avro.apache.org/docs/1.12.0/specification/#binary-encoding).

const Span = @import("bytes.zig").Span;

pub const Error = error{Broken};

/// Bytes that a number may have.
pub const longest = 10;

/// Reads from a slice, and never beyond it.
pub const Reader = struct {
    data: []const u8,
    at: usize = 0,

    fn byte(self: *Reader) Error!u8 {
        if (self.at >= self.data.len) return error.Broken;
        defer self.at += 1;
        return self.data[self.at];
    }

    /// A zigzag number of variable length.
    pub fn long(self: *Reader) Error!i64 {
        var found: u64 = 0;
        var shift: u6 = 0;
        while (true) {
            const next = try self.byte();
            if (shift == 63 and next > 1) return error.Broken;
            found |= @as(u64, next & 0x7F) << shift;
            if (next < 0x80) return @as(i64, @bitCast(found >> 1)) ^ -@as(i64, @intCast(found & 1));
            if (shift == 63) return error.Broken;
            shift += 7;
        }
    }

    pub fn skip(self: *Reader, size: usize) Error!void {
        if (size > self.data.len - self.at) return error.Broken;
        self.at += size;
    }

    /// Bytes with their number before them.
    pub fn span(self: *Reader) Error!Span {
        const size = try self.long();
        if (size < 0 or size > self.data.len - self.at) return error.Broken;
        const begin = self.at;
        self.at += @intCast(size);
        return .{ .at = @intCast(begin), .size = @intCast(size) };
    }

    /// A string; one that is not ASCII is left to a reader that knows more.
    fn ascii(self: *Reader) Error!void {
        for ((try self.span()).in(self.data)) |one| {
            if (one >= 0x80) return error.Broken;
        }
    }
};

/// Walks through events by a schema, which is a text: a letter for each primitive type, `M` before the type of
/// a map's values, `U` and a digit before that many types to choose from, `*` before the body's.
pub const Schema = struct {
    text: []const u8,

    /// Take one event; gives where the body is, or null if it is Avro's null.
    pub fn event(self: Schema, reader: *Reader) Error!?Span {
        var at: usize = 0;
        var body: ?Span = null;
        while (at < self.text.len) {
            if (self.text[at] == '*') {
                body = try self.bodyAt(at + 1, reader);
                at = try self.after(at + 1);
            } else at = try self.take(at, reader);
        }
        return body;
    }

    fn bodyAt(self: Schema, at: usize, reader: *Reader) Error!?Span {
        const kind = if (self.text[at] == 'U') try self.choice(at, reader) else at;
        return switch (self.text[kind]) {
            'N' => null,
            'B' => try reader.span(),
            else => error.Broken,
        };
    }

    /// Take a value of the type at `at`; gives where the next type stands.
    fn take(self: Schema, at: usize, reader: *Reader) Error!usize {
        if (at >= self.text.len) return error.Broken;
        switch (self.text[at]) {
            'N' => {},
            'O' => if (try reader.byte() > 1) return error.Broken,
            'I', 'L' => _ = try reader.long(),
            'F' => try reader.skip(4),
            'D' => try reader.skip(8),
            'B' => _ = try reader.span(),
            'S' => try reader.ascii(),
            'M' => {
                try self.pairs(at + 1, reader);
                return self.after(at);
            },
            'U' => {
                _ = try self.take(try self.choice(at, reader), reader);
                return self.after(at);
            },
            else => return error.Broken,
        }
        return at + 1;
    }

    fn pairs(self: Schema, at: usize, reader: *Reader) Error!void {
        while (true) {
            var count = try reader.long();
            if (count == 0) return;
            if (count < 0) {
                _ = try reader.long();
                if (count == -0x8000_0000_0000_0000) return error.Broken;
                count = -count;
            }
            while (count > 0) : (count -= 1) {
                try reader.ascii();
                _ = try self.take(at, reader);
            }
        }
    }

    /// Where the type stands that was chosen of those at `at`.
    fn choice(self: Schema, at: usize, reader: *Reader) Error!usize {
        const chosen = try reader.long();
        if (at + 1 >= self.text.len or chosen < 0 or chosen >= self.text[at + 1] - '0') return error.Broken;
        var kind = at + 2;
        for (0..@intCast(chosen)) |_| kind = try self.after(kind);
        return kind;
    }

    /// Where the type after that at `at` stands.
    fn after(self: Schema, at: usize) Error!usize {
        if (at >= self.text.len) return error.Broken;
        switch (self.text[at]) {
            'M' => return self.after(at + 1),
            'U' => {
                if (at + 1 >= self.text.len) return error.Broken;
                var next = at + 2;
                for (0..self.text[at + 1] - '0') |_| next = try self.after(next);
                return next;
            },
            else => return at + 1,
        }
    }
};
