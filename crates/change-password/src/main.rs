//! The change-password function on the Lambda runtime.

use auth_core::function;
use lambda_http::Error;

#[tokio::main(flavor = "current_thread")] // one request at a time: threads would cost more than they bring
async fn main() -> Result<(), Error> {
    function::run_http(change_password::build).await
}
