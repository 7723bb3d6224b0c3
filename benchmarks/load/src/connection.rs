//! One kept connection: a request goes out, an answer comes in.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream as StdTcp;
use std::os::unix::net::UnixStream as StdUnix;
use std::time::Instant;

use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};

const READ_BYTES: usize = 16 * 1024;
const HEAD_END: &[u8] = b"\r\n\r\n";

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    fn connect(to: &str) -> io::Result<Self> {
        if let Some(path) = to.strip_prefix("unix:") {
            let stream = StdUnix::connect(path)?;
            stream.set_nonblocking(true)?;
            return Ok(Self::Unix(UnixStream::from_std(stream)));
        }
        let stream = StdTcp::connect(to)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self::Tcp(TcpStream::from_std(stream)))
    }

    fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let wanted = Interest::READABLE | Interest::WRITABLE;
        match self {
            Self::Tcp(stream) => registry.register(stream, token, wanted),
            Self::Unix(stream) => registry.register(stream, token, wanted),
        }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(into),
            Self::Unix(stream) => stream.read(into),
        }
    }

    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(from),
            Self::Unix(stream) => stream.write(from),
        }
    }
}

/// What came back for one request.
pub struct Answer {
    pub status: u16,
    /// Whether the body is a verdict that accepts.
    pub is_accepted: bool,
    pub has_retry_after: bool,
    /// The server will close: the next request needs a new connection.
    pub is_last: bool,
}

/// What a look at a connection found.
pub enum Found {
    Nothing,
    Answer(Answer),
    /// The other end closed, or something failed.
    Closed,
}

pub struct Connection {
    stream: Stream,
    unsent: Vec<u8>,
    received: Vec<u8>,
    /// When the request that is under way was sent, or was due.
    pub since: Option<Instant>,
}

impl Connection {
    pub fn open(to: &str, registry: &Registry, token: Token) -> io::Result<Self> {
        let mut stream = Stream::connect(to)?;
        stream.register(registry, token)?;
        Ok(Self {
            stream,
            unsent: Vec::new(),
            received: Vec::new(),
            since: None,
        })
    }

    /// Sends as much as goes; the rest follows when the socket takes more.
    pub fn send(&mut self, request: &[u8], since: Instant) -> io::Result<()> {
        self.since = Some(since);
        self.unsent.extend_from_slice(request);
        self.flush()
    }

    pub fn flush(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads all that has come. At most one answer can be there: only one request is under way.
    pub fn look(&mut self) -> Found {
        let mut buffer = [0; READ_BYTES];
        let mut is_closed = false;
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => is_closed = true,
                Ok(count) => {
                    self.received.extend_from_slice(&buffer[..count]);
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => is_closed = true,
            }
            break;
        }
        match parse(&self.received) {
            Some((mut answer, length)) => {
                self.received.drain(..length);
                answer.is_last |= is_closed;
                Found::Answer(answer)
            }
            None if is_closed => Found::Closed,
            None => Found::Nothing,
        }
    }
}

/// The answer at the beginning, and how long it is, once it is whole.
fn parse(received: &[u8]) -> Option<(Answer, usize)> {
    let head_length = find(received, HEAD_END)? + HEAD_END.len();
    let head = received[..head_length].to_ascii_lowercase();
    let body_length: usize = match find(&head, b"\r\ncontent-length:") {
        Some(at) => {
            let value = &head[at + 17..];
            let line = &value[..find(value, b"\r\n")?];
            std::str::from_utf8(line).ok()?.trim().parse().ok()?
        }
        None => 0,
    };
    let length = head_length + body_length;
    let body = received.get(head_length..length)?;
    let status = std::str::from_utf8(head.get(9..12)?).ok()?.parse().ok()?;
    let answer = Answer {
        status,
        is_accepted: find(body, br#""outcome":"accepted""#).is_some(),
        has_retry_after: find(&head, b"\r\nretry-after:").is_some(),
        is_last: find(&head, b"\r\nconnection: close").is_some(),
    };
    Some((answer, length))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::parse;

    const ANSWER: &[u8] =
        b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 22\r\n\r\n{\"outcome\":\"accepted\"}";

    #[test]
    fn an_answer_is_read_when_it_is_whole_and_not_before() {
        for length in 0..ANSWER.len() {
            assert!(parse(&ANSWER[..length]).is_none());
        }
        let more = [ANSWER, b"HTTP/1.1"].concat();
        let (answer, length) = parse(&more).unwrap_or_else(|| unreachable!());
        assert_eq!(
            (answer.status, answer.is_accepted, length),
            (200, true, ANSWER.len())
        );
        assert!(!answer.is_last && !answer.has_retry_after);
    }

    #[test]
    fn a_refusal_and_a_last_answer_are_told_apart() {
        let text = b"HTTP/1.1 503 Busy\r\nretry-after: 1\r\nConnection: close\r\ncontent-length: 0\r\n\r\n";
        let (answer, _) = parse(text).unwrap_or_else(|| unreachable!());
        assert_eq!(answer.status, 503);
        assert!(answer.is_last && answer.has_retry_after && !answer.is_accepted);
    }
}
