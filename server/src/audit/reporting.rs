//! An auditor's word on its way to the tracker.

use std::time::{Duration, Instant};

use serde::Serialize;
use swarmseal_tracker::{Company, SignedFinding, SignedVisit};
use ureq::Agent;
use url::Url;

/// What became of an auditor's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reported {
    /// The tracker acts upon it: whoever it is about is out, and its swarm has been told.
    Taken,
    /// The tracker does not act upon it; its reason, as a stable code.
    Refused(String),
    /// The tracker could not be reached while it was fresh.
    Undelivered,
}

/// Reports a finding, again and again while that may help.
pub(super) async fn report(agent: Agent, operator: Url, signed: SignedFinding) -> Reported {
    match say(agent, operator, "findings", signed, PATIENCE).await {
        Ok(_) => Reported::Taken,
        Err(reported) => reported,
    }
}

/// Says that a visit begins, and hears who is there. Whether it is heard or not, the visit goes on: without it, the tracker leads
/// it to nobody.
///
/// # Errors
/// [`Reported`], which is not [`Reported::Taken`].
pub(super) async fn begin(agent: Agent, operator: Url, signed: SignedVisit) -> Result<Company, Reported> {
    let said = say(agent, operator, "visits", signed, Duration::ZERO).await?;
    serde_json::from_str(&said).map_err(|_| Reported::Refused("malformed_answer".to_owned()))
}

/// Tries at least once, and then for as long as `patience`. Gives what the tracker answers.
async fn say(
    agent: Agent,
    operator: Url,
    path: &'static str,
    word: impl Serialize + Send + 'static,
    patience: Duration,
) -> Result<String, Reported> {
    let sent = tokio::task::spawn_blocking(move || {
        let (Ok(url), Ok(body)) = (operator.join(path), serde_json::to_string(&word)) else {
            return Err(Reported::Undelivered);
        };
        let begun = Instant::now();
        loop {
            let answer = agent
                .post(url.as_str())
                .header("content-type", "application/json")
                .send(body.as_str());
            if let Ok(answer) = answer {
                let status = answer.status().as_u16();
                if status == NO_CONTENT || status == OK {
                    return Ok(answer.into_body().read_to_string().unwrap_or_default());
                }
                // A tracker that starts or is out of order may be there in a moment.
                if status < 500 || status == INSUFFICIENT_STORAGE {
                    let code = answer.into_body().read_to_string().unwrap_or_default();
                    return Err(Reported::Refused(code.trim().to_owned()));
                }
            }
            if begun.elapsed() >= patience {
                return Err(Reported::Undelivered);
            }
            std::thread::sleep(PAUSE);
        }
    });
    sent.await.unwrap_or(Err(Reported::Undelivered))
}

const OK: u16 = 200;
const NO_CONTENT: u16 = 204;
const INSUFFICIENT_STORAGE: u16 = 507;
/// A finding holds for a minute.
const PATIENCE: Duration = Duration::from_secs(50);
const PAUSE: Duration = Duration::from_millis(500);
