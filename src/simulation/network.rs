//! A network that follows a script, or fails at random.

use std::cell::Cell;
use std::time::Duration;

use super::{Simulation, xorshift};
use crate::host::{Header, Http, HttpError, Request, Response};

/// The reply to a request.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    after: Duration,
    outcome: Result<Response, HttpError>,
}

/// A header line.
pub(crate) fn header(name: &'static str, value: impl Into<String>) -> Header {
    Header::new(name, value)
}

/// The whole address of a request.
pub(crate) fn address(request: &Request) -> String {
    let scheme = if request.target.secure {
        "https"
    } else {
        "http"
    };
    format!(
        "{scheme}://{}{}",
        request.target.authority, request.target.path_and_query
    )
}

impl Reply {
    /// A response without a body, a hundredth of a second later.
    pub(crate) fn status(status: u16) -> Self {
        let response = Response {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        };
        Self {
            after: Duration::from_millis(10),
            outcome: Ok(response),
        }
    }

    /// A response with a body.
    pub(crate) fn body(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let mut reply = Self::status(status);
        if let Ok(response) = &mut reply.outcome {
            response.body = body.into();
        }
        reply
    }

    /// A response with status 200 and this JSON.
    pub(crate) fn json(body: &serde_json::Value) -> Self {
        Self::body(200, body.to_string()).with("content-type", "application/json")
    }

    /// An error as Dataverse writes it.
    pub(crate) fn fault(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({"error": {"code": code, "message": message}});
        Self::body(status, body.to_string()).with("content-type", "application/json")
    }

    /// The response to a batch, from those to its requests, each of which must be a response.
    pub(crate) fn batch(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut body = Vec::new();
        let mut after = Duration::ZERO;
        for part in parts {
            let response = part.outcome.unwrap();
            after += part.after;
            let mut head = format!(
                "--batchresponse_x\r\nContent-Type: application/http\r\n\
                 Content-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 {} Some\r\n",
                response.status
            );
            for line in response.headers {
                head = format!("{head}{}: {}\r\n", line.name, line.value);
            }
            body.extend(head.bytes());
            body.extend(b"\r\n");
            body.extend(response.body);
            body.extend(b"\r\n");
        }
        body.extend(b"--batchresponse_x--\r\n");
        Self::body(200, body)
            .with("Content-Type", "multipart/mixed; boundary=batchresponse_x")
            .after(after)
    }

    /// Compresses the body.
    pub(crate) fn gzipped(mut self) -> Self {
        if let Ok(response) = &mut self.outcome {
            let text = std::mem::take(&mut response.body);
            response.body = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255];
            response
                .body
                .extend(miniz_oxide::deflate::compress_to_vec(&text, 6));
            response.body.extend(crc32fast::hash(&text).to_le_bytes());
            response
                .body
                .extend(u32::try_from(text.len()).unwrap().to_le_bytes());
        }
        self.with("content-encoding", "gzip")
    }

    /// Cuts off the body in the middle.
    pub(crate) fn cut(mut self) -> Self {
        if let Ok(response) = &mut self.outcome {
            response.body.truncate(response.body.len() / 2);
        }
        self
    }

    /// No response.
    pub(crate) fn failure(error: HttpError) -> Self {
        Self {
            after: Duration::from_millis(10),
            outcome: Err(error),
        }
    }

    /// Adds a header line.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Ok(response) = &mut self.outcome {
            response.headers.push(header(name, value));
        }
        self
    }

    /// How large its body is.
    pub(crate) fn size(&self) -> usize {
        let body = self.outcome.as_ref().map(|response| response.body.len());
        body.unwrap_or_default()
    }

    /// Sets another status.
    pub(crate) fn with_status(mut self, status: u16) -> Self {
        if let Ok(response) = &mut self.outcome {
            response.status = status;
        }
        self
    }

    /// Sets how long the reply takes.
    pub(crate) fn after(mut self, time: Duration) -> Self {
        self.after = time;
        self
    }
}

/// Random faults. The same seed gives the same faults.
pub(crate) struct RandomFaults {
    state: Cell<u64>,
    /// One request in this many fails.
    one_in: u64,
}

impl RandomFaults {
    /// Makes one request in `one_in` fail.
    pub(crate) fn new(seed: u64, one_in: u64) -> Self {
        // The generator must not begin with zero.
        Self {
            state: Cell::new(seed.wrapping_mul(0x2545_F491_4F6C_DD1D) | 1),
            one_in,
        }
    }

    /// Replaces a reply by a fault, at random. Every fault is temporary.
    fn apply(&self, reply: Reply) -> Reply {
        if xorshift(&self.state) >> 8 & 0xFFFF >= 0x10000 / self.one_in {
            return reply;
        }
        match xorshift(&self.state) >> 8 & 7 {
            0 => Reply::status(429).with("retry-after", "3"),
            1 => Reply::fault(
                429,
                "0x80072322",
                "Number of requests exceeded the limit of 6000.",
            ),
            2 => Reply::status(503),
            3 => Reply::body(502, "<html>Bad Gateway</html>"),
            4 => Reply::failure(HttpError::Timeout).after(Duration::from_mins(1)),
            5 => Reply::failure(HttpError::Connect),
            6 => Reply::fault(500, "0x80044151", "SQL timeout expired."),
            _ => Reply::failure(HttpError::Lost),
        }
    }
}

/// A request in flight, until it has a reply or is dropped.
struct InFlight<'a>(&'a Cell<usize>);

impl<'a> InFlight<'a> {
    fn new(in_flight: &'a Cell<usize>, most_at_once: &Cell<usize>) -> Self {
        in_flight.set(in_flight.get() + 1);
        most_at_once.set(most_at_once.get().max(in_flight.get()));
        Self(in_flight)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Http for Simulation {
    async fn send(&self, request: Request) -> Result<Response, HttpError> {
        let _flight = InFlight::new(&self.in_flight, &self.most_at_once);
        self.requests.borrow_mut().push(request.clone());
        let mut reply = (self.service.borrow_mut())(&request);
        if let Some(random_faults) = &*self.random_faults.borrow() {
            reply = random_faults.apply(reply);
        }
        if reply.after > request.idle_timeout {
            self.clock.sleep(request.idle_timeout).await;
            return Err(HttpError::Timeout);
        }
        self.clock.sleep(reply.after).await;
        match reply.outcome {
            Ok(response) if response.body.len() > request.max_body => {
                Err(HttpError::TooLarge(request.max_body))
            }
            outcome => outcome,
        }
    }
}
