//! The authorizer on the Lambda runtime.

use auth_core::function;
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")] // one request at a time: threads would cost more than they bring
async fn main() -> Result<(), Error> {
    let authorizer = function::start(authorizer::build)?;
    authorizer.warm_up().await;
    lambda_runtime::run_concurrent(authorizer).await
}
