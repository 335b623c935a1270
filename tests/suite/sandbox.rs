//! The sandbox: real programs, run by the real launcher, try to get out.

use std::{path::Path, sync::Mutex, time::Duration};

use cowork::sandbox::{Ended, Job, Sandbox, Settings};
use tokio_util::sync::CancellationToken;

pub fn sandbox(settings: Settings) -> Sandbox {
    Sandbox::new(env!("CARGO_BIN_EXE_cowork"), settings)
}

pub fn bash<'a>(workspace: &'a Path, script: &str) -> Job<'a> {
    Job {
        workspace,
        argv: vec!["bash".into(), "-c".into(), script.into()],
        variables: vec![],
        home_files: vec![],
        writes: true,
        network: true,
        time_limit: Duration::from_secs(60),
    }
}

#[tokio::test]
async fn play() {
    let place = tempfile::tempdir().unwrap();
    let s = sandbox(Settings::default());
    println!("{:?}", s.availability().await);
    for line in std::fs::read_to_string("/tmp/t/play.txt").unwrap().split("\n---\n") {
        let t = std::time::Instant::now();
        let r = s.run(&bash(&place.path().canonicalize().unwrap(), line), &CancellationToken::new(), &|_| ()).await;
        println!("$ {line}\n=> {:?}", t.elapsed());
        match r {
            Ok(e) => println!("{:?} {:?}\n{}", e.how, e.removed, e.output),
            Err(e) => println!("ERR {e:?}"),
        }
    }
}
