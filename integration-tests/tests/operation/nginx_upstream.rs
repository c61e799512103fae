//! A real nginx serves a small site through the gateway to curl, Python and h2load; its own log says who came.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use octroi_integration_tests::patience::wait_for;
use octroi_integration_tests::recorder::Recorder;
use octroi_integration_tests::world::{Route, World, free_ports};

const HOST: &str = "echo.localhost";

/// An nginx of one's own, on a port of its own.
struct Nginx {
    child: Child,
    port: u16,
    log: PathBuf,
    _kept: tempfile::TempDir,
}

impl Nginx {
    fn start() -> Self {
        let kept = tempfile::TempDir::with_prefix("octroi-nginx-").expect("a directory");
        let home = kept.path();
        fs::create_dir(home.join("site")).expect("a directory");
        fs::write(home.join("site/index.html"), "<h1>a small site</h1>\n").expect("a page");
        fs::write(home.join("site/big.bin"), vec![b'n'; 2_000_000]).expect("a file");
        let [port, ..] = free_ports();
        let log = home.join("access.log");
        fs::write(home.join("nginx.conf"), configuration(home, port)).expect("a configuration");
        let child = Command::new("nginx")
            .arg("-c")
            .arg(home.join("nginx.conf"))
            .args(["-g", "daemon off;"])
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is installed (./dev wire installs it)");
        let up = wait_for(Duration::from_secs(10), || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        assert!(up.is_some(), "nginx does not listen");
        Self {
            child,
            port,
            log,
            _kept: kept,
        }
    }

    /// One line a request: the account that the gateway names, the request, the status.
    fn lines(&self) -> Vec<String> {
        fs::read_to_string(&self.log)
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().ok();
        self.child.wait().ok();
    }
}

fn configuration(home: &Path, port: u16) -> String {
    let home = home.display();
    format!(
        "worker_processes 1; pid {home}/pid; error_log {home}/error.log;\n\
         events {{ worker_connections 512; }}\n\
         http {{\n\
           client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/f;\n\
           uwsgi_temp_path {home}/u; scgi_temp_path {home}/s;\n\
           log_format who '$http_remote_user $http_octroi_assertion \"$request\" $status \"$http_cookie\"';\n\
           access_log {home}/access.log who;\n\
           server {{ listen 127.0.0.1:{port}; root {home}/site; }}\n\
         }}\n"
    )
}

fn run(mut command: Command) -> Output {
    command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn nginx_serves_curl_python_and_h2load_and_never_a_stranger() {
    let nginx = Nginx::start();
    let stand_in = Recorder::start();
    let world = World::configured(
        &[Route {
            host: HOST,
            path: "/",
            to: &stand_in,
            more: "allow = \"everyone\"",
        }],
        // All who come here share one address: the strangers would use up what the others need.
        |config| {
            let upstream = format!("http://127.0.0.1:{}", nginx.port);
            let limits = "[limits]\nunauthenticated = \"1000/s\"\nunauthenticated_burst = 10000\n";
            format!("{}\n{limits}", config.replace(&stand_in.url(), &upstream))
        },
    );
    let url = world.url(HOST, "/");
    let jar = world.directory.join("jar");

    strangers(&world, &url);
    assert_eq!(nginx.lines(), [""; 0], "a stranger reached nginx");

    let signed_in = run(curl(&world, &jar, &sign_in(&world)));
    assert!(
        text(&signed_in).contains("signed_in"),
        "{}",
        text(&signed_in)
    );
    let page = run(curl(
        &world,
        &jar,
        &[
            "-L".to_owned(),
            "-H".to_owned(),
            "Accept: text/html".to_owned(),
            url.clone(),
        ],
    ));
    assert_eq!(text(&page), "<h1>a small site</h1>\n");
    let big = run(curl(
        &world,
        &jar,
        &["--http1.1".to_owned(), world.url(HOST, "/big.bin")],
    ));
    assert_eq!(big.stdout.len(), 2_000_000);

    let python = run(python_client(&world, &url));
    assert_eq!(
        text(&python),
        "200 <h1>a small site</h1>\n\n",
        "{}",
        String::from_utf8_lossy(&python.stderr)
    );

    let visitor = world.arrived("rh", HOST);
    let before = nginx.lines().len();
    let load = run(h2load(
        &world,
        &visitor.cookie_field(HOST).expect("a session"),
    ));
    assert!(
        text(&load).contains("status codes: 2000 2xx, 0 3xx, 0 4xx, 0 5xx"),
        "{}",
        text(&load)
    );
    let lines = nginx.lines();
    assert_eq!(lines.len() - before, 2000, "nginx counts as h2load does");

    for line in &lines {
        assert_authenticated(line);
    }
}

/// A line of nginx's log names an account and an assertion, and holds no cookie of ours.
#[track_caller]
fn assert_authenticated(line: &str) {
    let mut words = line.split(' ');
    assert!(
        words.next().is_some_and(|user| user.len() > 8),
        "a request without an account: {line}"
    );
    let token = words
        .next()
        .is_some_and(|token| token.split('.').count() == 3);
    assert!(token, "a request without an assertion: {line}");
    assert!(
        line.ends_with("\"-\""),
        "a cookie of ours reached nginx: {line}"
    );
}

/// Each of the three without a session.
fn strangers(world: &World, url: &str) {
    for version in ["--http1.1", "--http2"] {
        let mut command = Command::new("curl");
        command
            .args(["-s", "-o", "/dev/null", "-w", "%{http_code}", version])
            .args(["--cacert"])
            .arg(&world.facts.authority);
        command.args([
            "--resolve",
            &format!("{HOST}:{}:127.0.0.1", world.facts.https.port()),
            url,
        ]);
        assert_eq!(text(&run(command)), "401", "{version}");
    }
    let load = run(h2load(world, "a=b"));
    assert!(
        text(&load).contains("0 2xx, 0 3xx, 2000 4xx"),
        "{}",
        text(&load)
    );
}

fn sign_in(world: &World) -> Vec<String> {
    let account = world.facts.account("acme/marie");
    let body = serde_json::json!({ "login": "acme/marie", "password": account.password, "computer": "private" });
    let url = format!("https://{}/.octroi/api/v1/login", world.portal());
    vec![
        "-H".to_owned(),
        "Content-Type: application/json".to_owned(),
        "-d".to_owned(),
        body.to_string(),
        url,
    ]
}

fn curl(world: &World, jar: &Path, arguments: &[String]) -> Command {
    let mut command = Command::new("curl");
    command
        .arg("-s")
        .arg("--cacert")
        .arg(&world.facts.authority)
        .arg("-b")
        .arg(jar)
        .arg("-c")
        .arg(jar);
    for host in [HOST, world.facts.portal.as_str()] {
        command.args([
            "--resolve",
            &format!("{host}:{}:127.0.0.1", world.facts.https.port()),
        ]);
    }
    command.args(arguments);
    command
}

/// The standard library only: a script as an operator writes it.
fn python_client(world: &World, url: &str) -> Command {
    let account = world.facts.account("acme/marie");
    let script = "import http.cookiejar,json,socket,ssl,sys,urllib.request as u\n\
                  real=socket.getaddrinfo\n\
                  socket.getaddrinfo=lambda host,*more,**kw:real('127.0.0.1',*more,**kw)\n\
                  ca,portal,url,login,password=sys.argv[1:]\n\
                  o=u.build_opener(u.HTTPSHandler(context=ssl.create_default_context(cafile=ca)),u.HTTPCookieProcessor(http.cookiejar.CookieJar()))\n\
                  r=u.Request(f'https://{portal}/.octroi/api/v1/login',json.dumps({'login':login,'password':password,'computer':'private'}).encode(),{'Content-Type':'application/json'})\n\
                  assert json.load(o.open(r))['status']=='signed_in'\n\
                  a=o.open(u.Request(url,headers={'Sec-Fetch-Mode':'navigate','Sec-Fetch-Dest':'document','Accept':'text/html'}))\n\
                  print(a.status,a.read().decode())\n";
    let mut command = Command::new("python3");
    command.args(["-c", script]).arg(&world.facts.authority);
    command.args([&world.portal(), url, "acme/marie", &account.password]);
    command
}

fn h2load(world: &World, cookie: &str) -> Command {
    let mut command = Command::new("h2load");
    command.args([
        "-n",
        "2000",
        "-c",
        "4",
        "-m",
        "10",
        "-H",
        &format!("cookie: {cookie}"),
    ]);
    command
        .arg(format!(
            "--connect-to=127.0.0.1:{}",
            world.facts.https.port()
        ))
        .arg(world.url(HOST, "/"));
    command
}
