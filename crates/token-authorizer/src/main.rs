//! The authorizer that looks at the token alone, on the Lambda runtime: for APIs on which an access token may hold until it ends.

use auth_core::function;
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")] // one request at a time: threads would cost more than they bring
async fn main() -> Result<(), Error> {
    lambda_runtime::run_concurrent(function::start(authorizer::build_without_table)?).await
}
