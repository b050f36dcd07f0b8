//! A real browser without a window, driven over the `WebDriver` protocol.

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

/// The key under which the protocol names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// How long an element is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// One window of Chromium, closed when this is dropped.
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
            // Not by a macro, whose words are kept back while tests succeed.
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
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments},
            "timeouts": {"implicit": PATIENCE.as_millis()},
        }}});
        let opened = browser.command(Method::POST, "/session", &wanted).await;
        let session = opened["sessionId"].as_str().unwrap();
        session.clone_into(&mut browser.session);
        Some(browser)
    }

    /// Opens a page.
    pub async fn open(&self, address: &str) {
        self.order("url", &json!({"url": address})).await;
    }

    /// Waits for an element and types into it.
    pub async fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.order(&format!("element/{element}/value"), &json!({"text": text}))
            .await;
    }

    /// Waits for an element that leads to another page, clicks it, and waits until that page is
    /// there.
    pub async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.order(&format!("element/{element}/click"), &json!({}))
            .await;
        let begun = Instant::now();
        let path = format!("/session/{}/element/{element}/name", self.session);
        while self.ask(Method::GET, &path, &Value::Null).await.is_ok() {
            assert!(begun.elapsed() < PATIENCE, "{selector} leads nowhere");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits for an element and reads what a person sees of it.
    pub async fn text(&self, selector: &str) -> String {
        let element = self.element(selector).await;
        self.question(&format!("element/{element}/text")).await
    }

    /// Where the browser is.
    pub async fn address(&self) -> String {
        self.question("url").await
    }

    async fn element(&self, selector: &str) -> String {
        let wanted = json!({"using": "css selector", "value": selector});
        let found = self.order("element", &wanted).await;
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    async fn order(&self, what: &str, body: &Value) -> Value {
        let path = format!("/session/{}/{what}", self.session);
        self.command(Method::POST, &path, body).await
    }

    async fn question(&self, what: &str) -> String {
        let path = format!("/session/{}/{what}", self.session);
        let answer = self.command(Method::GET, &path, &Value::Null).await;
        answer.as_str().unwrap().to_owned()
    }

    async fn command(&self, method: Method, path: &str, body: &Value) -> Value {
        let answer = self.ask(method, path, body).await;
        answer.unwrap_or_else(|message| panic!("{path}: {message}"))
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> Result<Value, Value> {
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
        let answer = self.client.request(request).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let mut answer: Value = serde_json::from_slice(&body).unwrap();
        let mut value = answer["value"].take();
        if value.get("error").is_some() {
            return Err(value["message"].take());
        }
        Ok(value)
    }
}

impl Drop for Browser {
    /// Closes the window first, which ends the browser's processes; the driver's end would not.
    fn drop(&mut self) {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let goodbye = format!(
                "DELETE /session/{} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
                self.session
            );
            let _unsaid = stream.set_read_timeout(Some(PATIENCE));
            let _unsaid = stream.write_all(goodbye.as_bytes());
            // The driver answers when the browser is gone, and keeps the connection.
            let _unheard = stream.read(&mut [0]);
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

/// The port that the driver says it took.
fn port_of(driver: &mut Child) -> u16 {
    let said = BufReader::new(driver.stdout.take().unwrap());
    let mut lines = said.lines().map_while(Result::ok);
    let port = lines.find_map(|line| {
        let (_, port) = line.rsplit_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    port.expect("the driver tells its port")
}
