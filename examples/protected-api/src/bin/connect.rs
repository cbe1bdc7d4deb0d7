//! The connect function on the Lambda runtime.

use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")] // one request at a time: threads would cost more than they bring
async fn main() -> Result<(), Error> {
    lambda_runtime::run(protected_api::connect::function()).await
}
