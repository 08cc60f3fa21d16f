//! The description is that of the API.

use super::*;

const COMMITTED: &str = include_str!("../../../../../../docs/reference/openapi.json");

#[test]
fn the_committed_description_is_that_of_the_code() {
    assert!(openapi() == COMMITTED, "docs/reference/openapi.json is stale: cargo xtask docs");
}

/// Routes of access, which are tried by its own tests.
const OF_ACCESS: [&str; 8] = [
    "/session",
    "/setup",
    "/password",
    "/users",
    "/users/{name}",
    "/tokens",
    "/tokens/{id}",
    "/audit",
];

/// Routes that answer only to certain parameters, or with no JSON; tried in `readiness.rs`.
const PARTICULAR: [&str; 4] =
    ["/readiness/compare", "/readiness/providers", "/readiness/report", "/readiness/export"];

/// What is referred to is there.
fn check_references(part: &Value, document: &Value) {
    match part {
        Value::Object(members) => {
            for (name, member) in members {
                if let Some(target) = member.as_str().filter(|_| name == "$ref") {
                    let target = target.strip_prefix('#').unwrap();
                    assert!(document.pointer(target).is_some(), "{target}");
                }
                check_references(member, document);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| check_references(item, document)),
        _ => {}
    }
}

#[tokio::test]
async fn every_parameter_described_is_taken_and_every_route_described() {
    let server = Server::filled();
    let document = server.ask("/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    check_references(&document, &document);
    let fill = [
        ("{id}", id(1)),
        ("{asn}", "64496".to_owned()),
        ("{address}", "192.0.2.0".to_owned()),
        ("{length}", "24".to_owned()),
        ("{country}", "NL".to_owned()),
        ("{by}", "country".to_owned()),
        ("{group}", "NL".to_owned()),
    ];
    let mut described = Vec::new();
    for (template, item) in document["paths"].as_object().unwrap() {
        // What changes something has tests of its own.
        if OF_ACCESS.contains(&template.as_str()) || item.get("get").is_none() {
            continue;
        }
        let path =
            fill.iter().fold(template.clone(), |path, (name, value)| path.replace(name, value));
        described.push(path.replace("AS64496", "64496"));
        assert!(item["get"]["responses"].get("default").is_some(), "{template}");
        for parameter in item["get"]["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["schema"]["type"].is_string(), "{parameter}");
            if parameter["in"] != "query" {
                continue;
            }
            let name = parameter["name"].as_str().unwrap();
            let mut values: Vec<Value> =
                parameter["schema"]["enum"].as_array().cloned().unwrap_or_default();
            values.extend(parameter.get("example").cloned());
            let with = match name {
                "role" => "&asn=1",
                "match" if template == "/incidents" => "&prefix=::/0",
                "sort" => "&open=true",
                "by" if template == "/readiness/ases" => "&id=nobody",
                _ if name != "asns"
                    && ["/readiness/compare", "/readiness/providers"]
                        .contains(&template.as_str()) =>
                {
                    "&asns=64496,64497"
                }
                _ => "",
            };
            for value in values {
                let value = value.as_str().unwrap();
                let path = format!("{path}?{name}={value}{with}");
                let of_nobody = PARTICULAR.contains(&template.as_str()) && name == "by";
                let status = if of_nobody { StatusCode::NOT_FOUND } else { StatusCode::OK };
                assert_eq!(server.ask(&path).await.status, status, "{path}");
            }
            let wrong = server.ask(&format!("{path}?{name}=%00")).await.problem();
            assert_eq!(wrong, (400, "bad_parameter".to_owned(), name.to_owned()));
        }
    }
    let mut served: Vec<String> = routes().into_keys().chain(["/events".to_owned()]).collect();
    served.extend(PARTICULAR.map(str::to_owned));
    served =
        served.iter().map(|path| path.replace("AS64496", "64496").replace("nl", "NL")).collect();
    served.sort();
    described.sort();
    assert_eq!(described, served);
}
