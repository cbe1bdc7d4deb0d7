//! The orders function on the Lambda runtime.

use lambda_http::Error;

#[tokio::main(flavor = "current_thread")] // one request at a time: threads would cost more than they bring
#[expect(clippy::disallowed_methods, reason = "the one place where the function reads its environment")]
async fn main() -> Result<(), Error> {
    let allowed_origin = std::env::var("ALLOWED_ORIGIN").unwrap_or_default();
    lambda_http::run(protected_api::orders::function(allowed_origin)).await
}
