//! A headless browser, controlled over the `WebDriver` protocol.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The key of an element's identifier in the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// How long to wait for an element.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A Chromium window, closed when this is dropped.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    client: Client<HttpConnector, Full<Bytes>>,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser; `None`, and a line on standard error, where none is installed.
    pub async fn start() -> Option<Self> {
        let (Some(driver), Some(_)) = (installed("chromedriver"), installed("chromium")) else {
            // Not by a macro: the output of macros is captured while tests succeed.
            let skipped = "skipped: this test needs a browser, the Debian packages chromium and \
                           chromium-driver\n";
            std::io::stderr().write_all(skipped.as_bytes()).unwrap();
            return None;
        };
        let mut driver = Command::new(driver)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let port = port_of(&mut driver);
        let profile = tempfile::tempdir().unwrap();
        let data = format!("--user-data-dir={}", profile.path().display());
        let mut browser = Self {
            driver,
            port,
            session: String::new(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            _profile: profile,
        };
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &data,
        ];
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments},
            "timeouts": {"implicit": TIMEOUT.as_millis()},
        }}});
        let opened = browser
            .command(Method::POST, "/session", &capabilities)
            .await;
        let session = opened["sessionId"].as_str().unwrap();
        session.clone_into(&mut browser.session);
        Some(browser)
    }

    /// Opens a page.
    pub async fn open(&self, address: &str) {
        self.post("url", &json!({"url": address})).await;
    }

    /// Waits for an element and types into it.
    pub async fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.post(&format!("element/{element}/value"), &json!({"text": text}))
            .await;
    }

    /// Waits for an element, clicks it, and waits until its page has been left.
    pub async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.post(&format!("element/{element}/click"), &json!({}))
            .await;
        let start = Instant::now();
        let path = format!("/session/{}/element/{element}/name", self.session);
        while self.send(Method::GET, &path, &Value::Null).await.is_ok() {
            assert!(
                start.elapsed() < TIMEOUT,
                "clicking {selector} does not leave the page"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits for an element and returns its visible text.
    pub async fn text(&self, selector: &str) -> String {
        let element = self.element(selector).await;
        self.get_text(&format!("element/{element}/text")).await
    }

    /// The address of the current page.
    pub async fn address(&self) -> String {
        self.get_text("url").await
    }

    async fn element(&self, selector: &str) -> String {
        let wanted = json!({"using": "css selector", "value": selector});
        let found = self.post("element", &wanted).await;
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    async fn post(&self, what: &str, body: &Value) -> Value {
        let path = format!("/session/{}/{what}", self.session);
        self.command(Method::POST, &path, body).await
    }

    async fn get_text(&self, what: &str) -> String {
        let path = format!("/session/{}/{what}", self.session);
        let response = self.command(Method::GET, &path, &Value::Null).await;
        response.as_str().unwrap().to_owned()
    }

    async fn command(&self, method: Method, path: &str, body: &Value) -> Value {
        let response = self.send(method, path, body).await;
        response.unwrap_or_else(|message| panic!("{path}: {message}"))
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Result<Value, Value> {
        let body = match body {
            Value::Null => Full::default(),
            body => Full::from(body.to_string()),
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1:{}{path}", self.port))
            .header("content-type", "application/json")
            .body(body)
            .unwrap();
        let response = self.client.request(request).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let mut response: Value = serde_json::from_slice(&body).unwrap();
        let mut value = response["value"].take();
        if value.get("error").is_some() {
            return Err(value["message"].take());
        }
        Ok(value)
    }
}

impl Drop for Browser {
    /// Closes the window first, which ends the browser's processes. Killing the driver alone would
    /// leave them running.
    fn drop(&mut self) {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let request = format!(
                "DELETE /session/{} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
                self.session
            );
            let _ignored = stream.set_read_timeout(Some(TIMEOUT));
            let _ignored = stream.write_all(request.as_bytes());
            // The driver responds when the browser has ended, and leaves the connection open.
            let _ignored = stream.read(&mut [0]);
        }
        let _ended = self.driver.kill();
        let _ended = self.driver.wait();
    }
}

fn installed(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
}

/// The port that the driver prints.
fn port_of(driver: &mut Child) -> u16 {
    let output = BufReader::new(driver.stdout.take().unwrap());
    let mut lines = output.lines().map_while(Result::ok);
    let port = lines.find_map(|line| {
        let (_, port) = line.rsplit_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    port.expect("the driver prints its port")
}
