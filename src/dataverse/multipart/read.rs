//! Reading the body of a response to a batch.

use std::ops::Range;

use memchr::memchr;

use crate::host::Header;

/// The boundary that the `Content-Type` of a multipart body names, with quotes or without.
pub(in crate::dataverse) fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    let is_multipart = kind.trim().eq_ignore_ascii_case("multipart/mixed");
    parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))
        .map(|(_, value)| value.trim().trim_matches('"'))
        .filter(|boundary| is_multipart && !boundary.is_empty())
}

/// A part of the body of a response.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::dataverse) enum Part {
    /// The response to one request.
    Response(PartResponse),
    /// The responses to the requests of a change set.
    ChangeSet(Vec<PartResponse>),
}

/// The response to one request.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::dataverse) struct PartResponse {
    /// The `Content-ID` of the request.
    pub(in crate::dataverse) content_id: Option<usize>,
    pub(in crate::dataverse) status: u16,
    pub(in crate::dataverse) headers: Vec<Header>,
    /// Where its body is in that of the whole response.
    pub(in crate::dataverse) body: Range<usize>,
}

/// The parts of a body, in order. None if the text is not multipart, or if its end is missing.
pub(in crate::dataverse) fn read(body: &[u8], boundary: &str) -> Option<Vec<Part>> {
    parts(body, 0..body.len(), boundary)?
        .into_iter()
        .map(|part| read_part(body, part))
        .collect()
}

fn read_part(body: &[u8], part: Range<usize>) -> Option<Part> {
    let mut lines = Lines::new(body, part)?;
    let headers = headers(&mut lines, End::Required)?;
    let inner = header(&headers, "content-type").and_then(boundary);
    let Some(inner) = inner else {
        return read_response(&headers, lines).map(Part::Response);
    };
    let responses = parts(body, lines.rest(), inner)?
        .into_iter()
        .map(|part| {
            let mut lines = Lines::new(body, part)?;
            let headers = self::headers(&mut lines, End::Required)?;
            read_response(&headers, lines)
        })
        .collect::<Option<_>>()?;
    Some(Part::ChangeSet(responses))
}

/// Where the parts are within `range` of the body.
fn parts(body: &[u8], range: Range<usize>, boundary: &str) -> Option<Vec<Range<usize>>> {
    let mut parts = Vec::new();
    let mut began = None;
    let mut lines = Lines::new(body, range)?;
    loop {
        let start = lines.at;
        let line = lines.next()?;
        let Some(rest) = line
            .strip_prefix(b"--")
            .and_then(|line| line.strip_prefix(boundary.as_bytes()))
        else {
            continue;
        };
        let is_last = match rest.trim_ascii_end() {
            b"" => false,
            b"--" => true,
            _ => continue,
        };
        // The line break before a boundary belongs to the boundary.
        if let Some(began) = began.replace(lines.at) {
            parts.push(began..without_line_break(body, began, start));
        }
        if is_last {
            return Some(parts);
        }
    }
}

fn without_line_break(body: &[u8], from: usize, to: usize) -> usize {
    let text = body.get(from..to).unwrap_or_default();
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    from + text.len()
}

/// Reads a status line, headers and a body; `outer` are the headers of the part.
fn read_response(outer: &[Header], mut lines: Lines<'_>) -> Option<PartResponse> {
    // Some servers put more than one empty line here.
    let mut status_line = lines.next()?;
    while status_line.is_empty() {
        status_line = lines.next()?;
    }
    let mut words = std::str::from_utf8(status_line).ok()?.split(' ');
    let status = words
        .next()
        .filter(|version| version.starts_with("HTTP/"))
        .and(words.next())?
        .parse()
        .ok()?;
    let headers = headers(&mut lines, End::Optional)?;
    // Some servers put it after the status line.
    let content_id = header(outer, "content-id").or_else(|| header(&headers, "content-id"));
    Some(PartResponse {
        content_id: content_id.and_then(|id| id.parse().ok()),
        status,
        body: lines.rest(),
        headers,
    })
}

/// Whether an empty line must follow the headers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Required,
    /// A response without a body may end with its headers.
    Optional,
}

/// The headers up to an empty line. Lines that are not text or not headers are left out.
fn headers(lines: &mut Lines<'_>, end: End) -> Option<Vec<Header>> {
    let mut headers = Vec::new();
    loop {
        let line = match lines.next() {
            Some([]) => return Some(headers),
            Some(line) => line,
            None => return (end == End::Optional).then_some(headers),
        };
        let header = std::str::from_utf8(line)
            .ok()
            .and_then(|line| line.split_once(':'));
        if let Some((name, value)) = header {
            headers.push(Header::new(name.trim().to_owned(), value.trim()));
        }
    }
}

fn header<'h>(headers: &'h [Header], name: &str) -> Option<&'h str> {
    headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case(name))
        .map(|header| header.value.as_str())
}

/// Lines that end with CR LF or LF, without their ends.
struct Lines<'b> {
    /// The whole body, up to where the lines end.
    body: &'b [u8],
    at: usize,
}

impl<'b> Lines<'b> {
    fn new(body: &'b [u8], range: Range<usize>) -> Option<Self> {
        Some(Self {
            body: body.get(..range.end)?,
            at: range.start.min(range.end),
        })
    }

    /// Where the lines are that have not been read.
    fn rest(&self) -> Range<usize> {
        self.at..self.body.len()
    }
}

impl<'b> Iterator for Lines<'b> {
    type Item = &'b [u8];

    fn next(&mut self) -> Option<&'b [u8]> {
        let rest = self.body.get(self.at..).filter(|rest| !rest.is_empty())?;
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        self.at += (end + 1).min(rest.len());
        let line = rest.get(..end)?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}
