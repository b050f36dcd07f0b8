use std::cell::Cell;
use std::rc::Rc;

use serde_json::json;

use super::super::*;
use crate::dataverse::Prefer;
use crate::error::ErrorKind;
use crate::host::{HttpError, Method, Request};
use crate::settings::Settings;
use crate::simulation::{API_ROOT, Reply, SETTINGS, Simulation, address, signed_in_with_batches};

fn client(host: &Rc<Simulation>) -> Client<Simulation> {
    Client::new(Rc::clone(host), Settings::parse(SETTINGS).unwrap())
}

fn links(client: &Client<Simulation>, names: &[&str]) -> Vec<Link> {
    names
        .iter()
        .map(|name| client.resource(name).unwrap())
        .collect()
}

/// The resources that a batch requests.
fn requested_in(request: &Request) -> Vec<String> {
    let body = String::from_utf8(request.body.clone().unwrap()).unwrap();
    body.split("\r\n")
        .filter_map(|line| line.strip_prefix("GET /api/data/v9.2/"))
        .map(|line| line.strip_suffix(" HTTP/1.1").unwrap().to_owned())
        .collect()
}

/// The response to a batch, from each part's status and body.
fn batch_reply(parts: &[(u16, String)]) -> Reply {
    let reply =
        |(status, text): &(u16, String)| Reply::body(*status, text.clone()).with("REQ_ID", "part");
    Reply::batch(parts.iter().map(reply))
}

/// A service that returns the name of each requested resource.
fn echoing() -> Rc<Simulation> {
    signed_in_with_batches(|request| {
        if request.method == Method::Post {
            let parts: Vec<_> = requested_in(request)
                .into_iter()
                .map(|it| (200, it))
                .collect();
            return batch_reply(&parts).with("x-ms-dop-hint", "4");
        }
        let path = &request.target.path_and_query;
        Reply::body(200, path.trim_start_matches("/api/data/v9.2/").to_owned())
    })
}

fn texts(bodies: Vec<Result<Vec<u8>, Error>>) -> Vec<String> {
    bodies
        .into_iter()
        .map(|body| String::from_utf8(body.unwrap()).unwrap())
        .collect()
}

#[test]
fn several_resources_come_in_one_request_and_in_order() {
    let host = echoing();
    let client = client(&host);
    let names = [
        "accounts?$top=1",
        "contacts(1)",
        "tasks?$filter=a%20eq%20'b'",
    ];
    let prefer = Prefer {
        max_page_size: Some(7),
        ..Prefer::default()
    };
    let bodies = host.block_on(client.batch(&links(&client, &names), &prefer));
    assert_eq!(texts(bodies.unwrap()), names);
    let requests = host.requests();
    let [request] = &requests[2..] else {
        panic!("{} requests", requests.len())
    };
    assert_eq!(address(request), format!("{API_ROOT}$batch"));
    let header = |name: &str| {
        let line = request.headers.iter().find(|line| line.name == name);
        line.unwrap().value.clone()
    };
    assert_eq!(header("Prefer"), "odata.continue-on-error");
    assert_eq!(header("Authorization"), "Bearer MARKER-token-1");
    let boundary = header("Content-Type");
    let boundary = boundary
        .strip_prefix("multipart/mixed; boundary=\"")
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap();
    let body = String::from_utf8(request.body.clone().unwrap()).unwrap();
    let parts: Vec<&str> = body.split(&format!("--{boundary}")).collect();
    assert_eq!(
        parts[1],
        "\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
         GET /api/data/v9.2/accounts?$top=1 HTTP/1.1\r\nAccept: application/json\r\n\
         OData-MaxVersion: 4.0\r\nOData-Version: 4.0\r\nIf-None-Match: null\r\n\
         Prefer: odata.maxpagesize=7\r\n\r\n\r\n"
    );
    assert_eq!(parts[4], "--\r\n");
    assert!(!body.replace("\r\n", "").contains(['\r', '\n']));
    assert!(!body.contains("MARKER"));
}

#[test]
fn a_long_address_is_sent_in_a_batch_of_its_own() {
    let host = echoing();
    let client = client(&host);
    let long = format!("accounts?$select={}", "x".repeat(40_000));
    let link = client.resource(&long).unwrap();
    let response = host
        .block_on(client.get(&link, &Prefer::default()))
        .unwrap();
    assert_eq!(response.body, long.as_bytes());
    assert_eq!(response.dop_hint, Some(4));
    assert_eq!(host.count("$batch"), 1);
    // A link of the service is sent as it came.
    let next = client
        .link(&format!("{API_ROOT}{long}&$skiptoken=%3C%22"))
        .unwrap();
    let response = host
        .block_on(client.get(&next, &Prefer::default()))
        .unwrap();
    assert!(response.body.ends_with(b"x&$skiptoken=%3C%22"));

    let host = signed_in_with_batches(|_| batch_reply(&[(404, String::new())]));
    let client = self::client(&host);
    let link = client.resource(&long).unwrap();
    let error = host
        .block_on(client.get(&link, &Prefer::default()))
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert!(
        error
            .message
            .starts_with("cannot read accounts: status 404"),
        "{error}"
    );
}

#[test]
fn without_support_for_batches_each_resource_is_read_alone() {
    for rejection in [
        Reply::json(&json!({"value": []})),
        Reply::body(200, "--x\r\n\r\nHTTP/1.1 200 OK\r\n\r\na")
            .with("Content-Type", "multipart/mixed; boundary=x"),
        Reply::body(403, "<html>"),
        Reply::status(500),
        Reply::status(404),
    ] {
        let host = signed_in_with_batches(move |request| match request.method {
            Method::Post => rejection.clone(),
            _ => Reply::body(200, "alone"),
        });
        let client = client(&host);
        let links = links(&client, &["a", "b"]);
        for _ in 0..2 {
            let bodies = host.block_on(client.batch(&links, &Prefer::default()));
            assert_eq!(texts(bodies.unwrap()), ["alone", "alone"]);
        }
        assert!(host.count("$batch") <= 5);
        let alone = host.count("/v9.2/a") + host.count("/v9.2/b");
        assert_eq!(alone, 4);
    }
}

#[test]
fn each_request_has_its_own_outcome() {
    let rejection = json!({"error": {"code": "0x80040220", "message": "Access denied."}});
    let attempts = Cell::new(0);
    let host = signed_in_with_batches(move |request| {
        if request.method == Method::Get {
            return Reply::body(200, "alone");
        }
        attempts.set(attempts.get() + 1);
        if attempts.get() == 1 {
            return Reply::status(429).with("Retry-After", "3");
        }
        let parts = [
            (200, "first".to_owned()),
            (403, rejection.to_string()),
            (503, String::new()),
        ];
        // The fourth is missing: the service has stopped, although the request says to continue.
        batch_reply(&parts).with_status(503)
    });
    let client = client(&host);
    let links = links(&client, &["a", "b", "c", "d"]);
    let bodies = host
        .block_on(client.batch(&links, &Prefer::default()))
        .unwrap();
    let outcomes: Vec<Result<&[u8], ErrorKind>> = bodies
        .iter()
        .map(|body| body.as_deref().map_err(|error| error.kind))
        .collect();
    assert_eq!(
        outcomes,
        [
            Ok(&b"first"[..]),
            Err(ErrorKind::Forbidden),
            Ok(b"alone"),
            Ok(b"alone"),
        ]
    );
    let error = bodies[1].as_ref().unwrap_err();
    assert!(
        error.message.starts_with("cannot read b: Access denied"),
        "{error}"
    );
    assert_eq!(
        error.fault.as_ref().unwrap().request_id.as_deref(),
        Some("part")
    );
    assert_eq!(
        (host.count("$batch"), host.requests().len()),
        (2, 2 + 2 + 2)
    );
}

#[test]
fn after_retries_failed_for_one_the_others_get_one_attempt() {
    for supports_batches in [true, false] {
        let host = signed_in_with_batches(move |request| {
            if request.method == Method::Get || !supports_batches {
                return Reply::status(500);
            }
            let parts: Vec<_> = (0..5).map(|_| (500, String::new())).collect();
            batch_reply(&parts)
        });
        let client = client(&host);
        let links = links(&client, &["a", "b", "c", "d", "e"]);
        let bodies = host
            .block_on(client.batch(&links, &Prefer::default()))
            .unwrap();
        assert_eq!(bodies.iter().filter(|body| body.is_err()).count(), 5);
        let counts = ["a", "b", "c", "d", "e"].map(|name| host.count(&format!("v9.2/{name}")));
        assert_eq!(counts, [4, 1, 1, 1, 1]);
    }
}

#[test]
fn an_incomplete_batch_is_retried() {
    let attempts = Cell::new(0);
    let host = signed_in_with_batches(move |_| {
        attempts.set(attempts.get() + 1);
        let whole = batch_reply(&[(200, "a".into()), (200, "b".into())]);
        match attempts.get() {
            1 => whole.cut(),
            2 => whole.gzipped().cut(),
            3 => Reply::failure(HttpError::Lost),
            _ => whole.gzipped(),
        }
    });
    let client = client(&host);
    let links = links(&client, &["a", "b"]);
    let bodies = host.block_on(client.batch(&links, &Prefer::default()));
    assert_eq!(texts(bodies.unwrap()), ["a", "b"]);
    assert_eq!(host.count("$batch"), 4);
}

#[test]
fn a_batch_with_too_large_a_response_is_halved() {
    let host = echoing();
    let client = client(&host).with_max_body(700);
    let names: Vec<String> = (0..12).map(|number| format!("resource{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let bodies = host.block_on(client.batch(&links(&client, &names), &Prefer::default()));
    assert_eq!(texts(bodies.unwrap()), names);
    let sizes: Vec<usize> = host.requests()[2..]
        .iter()
        .map(|request| requested_in(request).len())
        .collect();
    assert_eq!(sizes, [12, 6, 3, 3, 3, 3]);
}

#[test]
fn after_batches_were_rejected_none_is_sent_again() {
    let host = signed_in_with_batches(|request| {
        if request.method == Method::Post {
            Reply::fault(
                404,
                "0x8006088a",
                "Resource not found for the segment '$batch'.",
            )
        } else {
            Reply::body(200, "alone")
        }
    });
    let client = client(&host);
    let links = links(&client, &["a", "b"]);
    for _ in 0..2 {
        let bodies = host.block_on(client.batch(&links, &Prefer::default()));
        assert_eq!(texts(bodies.unwrap()), ["alone", "alone"]);
    }
    assert_eq!((host.count("$batch"), host.requests().len()), (1, 2 + 5));
}
