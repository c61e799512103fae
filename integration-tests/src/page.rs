//! Forms and links of a page, read as a browser without script would: what stands in the HTML is what is sent.

use crate::answer::Response;
use crate::visitor::{Hop, Visitor, authority_of};

/// One form of a page, filled in as the page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Where it goes, absolute.
    pub action: String,
    /// Names and values that it would send.
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// The form of a page at `url` whose action ends with `action`.
    #[track_caller]
    pub fn on(hop: &Hop, action: &str) -> Self {
        forms(hop)
            .into_iter()
            .find(|form| {
                form.action
                    .split('?')
                    .next()
                    .is_some_and(|to| to.ends_with(action))
            })
            .unwrap_or_else(|| {
                panic!(
                    "no form goes to {action} on {}:\n{}",
                    hop.url,
                    hop.response.text()
                )
            })
    }

    /// Sets a field, whether or not the page filled it.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(have, _)| have != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves a field out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(have, _)| have != name);
        self
    }

    /// Sends it, and gives the answer as it came.
    pub fn submit(&self, visitor: &mut Visitor) -> Hop {
        let fields: Vec<(&str, &str)> = self
            .fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        Hop {
            url: self.action.clone(),
            response: visitor.submit(&self.action, &fields),
        }
    }

    /// Sends it and goes on: redirects, and the page that continues elsewhere.
    pub fn submit_and_go_on(&self, visitor: &mut Visitor) -> Hop {
        let answer = self.submit(visitor);
        let last = visitor
            .go_on(&self.action, answer.response)
            .pop()
            .expect("at least one hop");
        match refresh(&last) {
            Some(next) => visitor.visit(&next),
            None => last,
        }
    }
}

/// All forms of a page.
pub fn forms(hop: &Hop) -> Vec<Form> {
    let page = hop.response.text();
    page.split("<form")
        .skip(1)
        .map(|part| form(hop, part.split("</form>").next().unwrap_or_default()))
        .collect()
}

fn form(hop: &Hop, html: &str) -> Form {
    let action = attribute(html, "action").unwrap_or_default();
    let fields = html
        .split("<input")
        .skip(1)
        .filter_map(|part| input(part.split('>').next()?))
        .collect();
    Form {
        action: absolute(&hop.url, &action),
        fields,
    }
}

fn input(tag: &str) -> Option<(String, String)> {
    let name = attribute(tag, "name")?;
    let kind = attribute(tag, "type").unwrap_or_default();
    let is_choice = matches!(kind.as_str(), "radio" | "checkbox");
    (!is_choice || tag.contains(" checked"))
        .then(|| (name, attribute(tag, "value").unwrap_or_default()))
}

/// Where a page sends the browser by itself (`<meta http-equiv=refresh>` with no delay).
pub fn refresh(hop: &Hop) -> Option<String> {
    let page = hop.response.text();
    let tag = page
        .split("<meta")
        .find(|tag| tag.contains("http-equiv=\"refresh\""))?;
    let content = attribute(tag.split('>').next()?, "content")?;
    let to = content
        .strip_prefix("0;")?
        .trim()
        .strip_prefix("url=")?
        .to_owned();
    Some(absolute(&hop.url, &to))
}

/// The addresses of all links of a page.
pub fn links(hop: &Hop) -> Vec<String> {
    let page = hop.response.text();
    page.split("<a")
        .skip(1)
        .filter_map(|part| attribute(part.split('>').next()?, "href"))
        .map(|to| absolute(&hop.url, &to))
        .collect()
}

/// The title of a page.
pub fn title(response: &Response) -> String {
    let page = response.text();
    let title = page
        .split("<title>")
        .nth(1)
        .and_then(|rest| rest.split("</title>").next());
    unescape(title.unwrap_or_default())
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag
        .split(&format!(" {name}=\""))
        .nth(1)?
        .split('"')
        .next()?;
    Some(unescape(value))
}

fn absolute(url: &str, to: &str) -> String {
    if to.contains("://") {
        to.to_owned()
    } else {
        format!("https://{}{to}", authority_of(url))
    }
}

/// The character references that templates write.
fn unescape(text: &str) -> String {
    let mut text = text.to_owned();
    for (reference, character) in [
        ("&#38;", "&"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&quot;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ] {
        text = text.replace(reference, character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_filled_as_the_page_says() {
        let html = "<form method=\"post\" action=\"/x\"><input type=\"hidden\" name=\"form\" value=\"a&#38;b\">\
                    <input type=\"radio\" name=\"c\" value=\"1\"><input type=\"radio\" name=\"c\" value=\"2\" checked></form>";
        let response = Response {
            status: 200,
            fields: Vec::new(),
            body: html.into(),
        };
        let hop = Hop {
            url: "https://h:1/y".to_owned(),
            response,
        };
        let form = Form::on(&hop, "/x");
        assert_eq!(form.action, "https://h:1/x");
        assert_eq!(
            form.fields,
            [
                ("form".to_owned(), "a&b".to_owned()),
                ("c".to_owned(), "2".to_owned())
            ]
        );
    }
}
