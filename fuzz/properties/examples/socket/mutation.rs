//! Requests that are nearly good.

const REQUESTS: &[&str] = &[
    "POST /process HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n[\"a\",\"b\"]",
    "POST /process HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n4\r\n[\"a\"\r\n1;x=y\r\n]\r\n0\r\nx: y\r\n\r\n",
    "POST /process?report HTTP/1.1\r\nhost: localhost\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ntracestate: a=b\r\nbaggage: user=1\r\ncontent-length: 2\r\n\r\n[]",
    "POST http://localhost/process HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n[]",
    "POST /process HTTP/1.0\r\nhost: localhost\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\n[]",
    "GET /.well-known/spin/info HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "GET /traces/ HTTP/1.1\r\nhost: localhost\r\nif-none-match: \"x\"\r\naccept-encoding: gzip\r\n\r\n",
    "GET /traces/api/traces?limit=1&text=a%20b HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: same-origin\r\n\r\n",
    "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{\"resourceSpans\":[]}",
    "OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
];

const FIELDS: &[&str] = &[
    "host: evil.example",
    "content-length: 1",
    "content-length: 18446744073709551616",
    "content-length: -1",
    "content-length: 2, 2",
    "transfer-encoding: chunked",
    "transfer-encoding: gzip, chunked",
    "transfer-encoding: identity",
    "connection: close",
    "connection: upgrade",
    "upgrade: websocket",
    "expect: 100-continue",
    "expect: what",
    "te: trailers",
    "spin-path-info: /process",
    "spin-full-url: nowhere",
    "spin-component-route: \u{e9}",
    "spin-client-addr: x",
    "origin: http://evil.example",
    "content-encoding: gzip",
    "traceparent: 00-x",
    "baggage: tail.*.latency=0ms",
    "accept: application/vnd.tracing-tail.report+json",
    "range: bytes=0-1",
    " folded: line",
    "no colon",
    ": no name",
    "",
];

const TARGETS: &[&str] = &[
    "//process",
    "/process/",
    "/process/../process",
    "/%70rocess",
    "/process%00",
    "/process#x",
    "*",
    "localhost:80",
    "http://other.example/process",
    "http://[::1/process",
    "/traces/api/traces/x",
    "/\u{e9}",
    "",
];

const BYTES: &[u8] = b"\0\t\n\r :;,=%/\"\x7f\x80\xff09aZ";

/// Makes inputs.
pub(crate) struct Mutator(u64);

impl Mutator {
    /// The same inputs for the same seed.
    pub(crate) fn new(seed: u64) -> Mutator {
        Mutator(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A request or two with up to four mutations; now and then without any.
    pub(crate) fn input(&mut self) -> Vec<u8> {
        let mut input = self.one(REQUESTS).as_bytes().to_vec();
        for _ in 0..self.below(5) {
            self.mutate(&mut input);
        }
        if self.below(4) == 0 {
            input.extend_from_slice(self.one(REQUESTS).as_bytes());
        }
        input
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let end = (at + self.below(16)).min(input.len());
        match self.below(12) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = self.one(BYTES),
            2 => input.insert(at, self.one(BYTES)),
            3 => drop(input.drain(at..end)),
            4 => {
                let copy = input[at..end].to_vec();
                input.splice(at..at, copy);
            }
            5 => self.change_line(input),
            6 | 7 => {
                let field = format!("\r\n{}", self.one(FIELDS));
                let line_end = find(input, b"\r\n").unwrap_or(input.len());
                input.splice(line_end..line_end, field.bytes());
            }
            8 => self.change_number(input),
            9 => self.change_target(input),
            10 => {
                let long = 1 << self.below(17);
                input.splice(at..at, std::iter::repeat_n(b'a', long));
            }
            _ if self.below(8) == 0 => input.truncate(at),
            _ => {}
        }
    }

    /// Doubles a line, or leaves it out.
    fn change_line(&mut self, input: &mut Vec<u8>) {
        let starts = input
            .windows(2)
            .enumerate()
            .filter(|(_, end)| *end == b"\r\n");
        let starts: Vec<usize> = starts.map(|(at, _)| at).collect();
        if starts.len() < 2 {
            return;
        }
        let line = self.below(starts.len() - 1);
        let (from, to) = (starts[line], starts[line + 1]);
        match self.below(2) {
            0 => drop(input.drain(from..to)),
            _ => {
                let copy = input[from..to].to_vec();
                input.splice(from..from, copy);
            }
        }
    }

    /// Changes a length, or another number.
    fn change_number(&mut self, input: &mut Vec<u8>) {
        let digits = input
            .iter()
            .enumerate()
            .filter(|(_, byte)| byte.is_ascii_digit());
        let digits: Vec<usize> = digits.map(|(at, _)| at).collect();
        if digits.is_empty() {
            return;
        }
        let at = self.one(&digits);
        let other = self.one(&[
            "0",
            "1",
            "10",
            "ffffffffffffffffff",
            "-1",
            "+1",
            "0x1",
            "1 1",
            "007",
        ]);
        input.splice(at..=at, other.bytes());
    }

    fn change_target(&mut self, input: &mut Vec<u8>) {
        let spaces = input.iter().enumerate().filter(|(_, byte)| **byte == b' ');
        let spaces: Vec<usize> = spaces.map(|(at, _)| at).take(2).collect();
        if let [from, to] = spaces[..] {
            let target = self.one(TARGETS);
            input.splice(from + 1..to, target.bytes());
        }
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// A number below another one (xorshift64*).
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        drawn as usize % most.max(1)
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
