//! A finding on its way to the tracker.

use std::time::{Duration, Instant};

use swarmseal_tracker::SignedFinding;
use url::Url;

use crate::publisher::source::client;

/// What became of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reported {
    /// The peer is out, and its swarm has been told.
    Revoked,
    /// The tracker does not act upon it; its reason, as a stable code.
    Refused(String),
    /// The tracker could not be reached while the finding was fresh.
    Undelivered,
}

/// Reports `signed` on the operator's address, again and again while that may help.
pub(super) async fn report(operator: Url, signed: SignedFinding) -> Reported {
    let sent = tokio::task::spawn_blocking(move || {
        let agent = client();
        let Ok(url) = operator.join("findings") else {
            return Reported::Undelivered;
        };
        let Ok(body) = serde_json::to_string(&signed) else {
            return Reported::Undelivered;
        };
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let answer = agent
                .post(url.as_str())
                .header("content-type", "application/json")
                .send(body.as_str());
            if let Ok(answer) = answer {
                let status = answer.status().as_u16();
                if status == NO_CONTENT {
                    return Reported::Revoked;
                }
                // A tracker that starts or is out of order may be there in a moment.
                if status < 500 || status == INSUFFICIENT_STORAGE {
                    let code = answer.into_body().read_to_string().unwrap_or_default();
                    return Reported::Refused(code.trim().to_owned());
                }
            }
            std::thread::sleep(PAUSE);
        }
        Reported::Undelivered
    });
    sent.await.unwrap_or(Reported::Undelivered)
}

const NO_CONTENT: u16 = 204;
const INSUFFICIENT_STORAGE: u16 = 507;
/// A finding holds for a minute.
const PATIENCE: Duration = Duration::from_secs(50);
const PAUSE: Duration = Duration::from_millis(500);
