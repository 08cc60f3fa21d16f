//! A stream ends with the right to read it.

use axum::body::BodyDataStream;
use futures_util::StreamExt;

use super::*;

const DEADLINE: Duration = Duration::from_mins(1);

async fn stream(server: &Server, ask: Ask<'_>) -> BodyDataStream {
    let response = server.send(ask).await;
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body().into_data_stream()
}

async fn end(mut stream: BodyDataStream) {
    let drain = async { while stream.next().await.is_some() {} };
    tokio::time::timeout(DEADLINE, drain).await.unwrap();
}

#[tokio::test]
async fn a_stream_ends_when_its_reader_may_no_longer_read() {
    let server = Server::filled();
    let (cookie, token) = (server.session("viewer"), server.token("analyst", Role::Viewer, 60));
    let of_cookie = stream(&server, Ask::get("/api/v1/events").cookie(&cookie)).await;
    let of_token = stream(&server, Ask::get("/api/v1/events").bearer(&token)).await;
    let mut of_other =
        stream(&server, Ask::get("/api/v1/events").cookie(&server.session("admin"))).await;
    server.disable("viewer");
    end(of_cookie).await;
    server.pass(60);
    end(of_token).await;
    let other = tokio::time::timeout(Duration::from_millis(100), of_other.next()).await;
    assert!(other.is_err(), "who may read still, goes on");
    server.cancel.cancel();
    end(of_other).await;
}
