//! One run as a page: a single HTML file that needs nothing else, not even the network.

use crate::outcome::Outcome;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = concat!(
    include_str!("plots.js"),
    include_str!("heat.js"),
    include_str!("page.js")
);

/// The page. `command` is what makes the run again; it is shown.
pub fn html(outcome: &Outcome, command: &str) -> String {
    let figures = serde_json::json!({ "outcome": outcome, "command": command });
    let title = format!("{}, seed {}", outcome.scenario, outcome.seed);
    // In this order nothing that a user wrote is taken for a mark.
    PAGE.replace("/* style */", STYLE)
        .replace("/* script */", SCRIPT)
        .replace("a simulated run", &escaped(&title))
        .replace("\"the figures\"", &in_script(&figures.to_string()))
}

/// For a text of the page.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// JSON that cannot end the element that it is in.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests;
