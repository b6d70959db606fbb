//! A client of tungstenite. It prints each message of the server as a line, comes back after the end
//! of a connection, and resumes every channel with the newest cursor that it has seen.
//! Arguments: the address of the endpoint, a token.

use std::{collections::HashMap, env, error::Error, io::Write, thread, time::Duration};

use tungstenite::{client::IntoClientRequest, connect, Message};

const RETRY: Duration = Duration::from_millis(100);

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let mut seen = HashMap::new();
    loop {
        if serve(&arguments[1], &arguments[2], &mut seen).unwrap_or(true) {
            say(r#"{"type":"disconnect"}"#);
        }
        thread::sleep(RETRY);
    }
}

/// Reads until the connection ends, by an error as well. False when none came about.
fn serve(url: &str, token: &str, seen: &mut HashMap<String, String>) -> Result<bool, Box<dyn Error>> {
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("Authorization", format!("Bearer {token}").parse()?);
    let Ok((mut socket, _)) = connect(request) else {
        return Ok(false);
    };
    loop {
        let Message::Text(text) = socket.read()? else {
            continue;
        };
        say(&text);
        if text.starts_with(r#"{"type":"connection""#) {
            if !seen.is_empty() {
                let cursors: Vec<String> =
                    seen.iter().map(|(channel, cursor)| format!(r#""{channel}":"{cursor}""#)).collect();
                let cursors = cursors.join(",");
                socket.send(format!(r#"{{"action":"resume","cursors":{{{cursors}}}}}"#).into())?;
            }
            socket.send(r#"{"action":"ping"}"#.into())?;
        } else if let (Some(channel), Some(cursor)) = (last(&text, "channel"), last(&text, "cursor")) {
            seen.insert(channel, cursor);
        }
    }
}

/// The last text of this name: publications end with their channel and cursor.
fn last(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.rsplit_once(&format!(r#""{name}":""#))?;
    Some(rest.split('"').next()?.to_string())
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
