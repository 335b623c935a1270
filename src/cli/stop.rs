//! What ends the server.

use tokio::signal::unix::{SignalKind, signal};

/// Resolves when the server is to end: it was asked to, or it can't go on.
pub async fn reason(store_failure: impl Future<Output = ()>) {
    tokio::select! {
        () = signalled() => {}
        () = store_failure => {}
    }
}

async fn signalled() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
}

/// One who asks twice does not want to wait.
pub fn exit_on_second_signal() {
    tokio::spawn(async {
        signalled().await;
        std::process::exit(130);
    });
}
