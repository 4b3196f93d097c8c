//! Links the addon the way Node-API wants it on each platform.

fn main() {
    napi_build::setup();
}
