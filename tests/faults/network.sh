# shellcheck shell=sh
# network.sh SUITE: a server behind a link that is cut and comes back. Runs in a network namespace of its own.
set -eu

suite=$1
# A second namespace, held by a process that waits for its end.
unshare --net sleep 600 &
far=$!
trap 'kill $far' EXIT
mount -t tmpfs none /run
ip link set lo up
ip link add near type veth peer name far
until [ "$(readlink /proc/$far/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
ip link set far netns $far
ip address add 10.77.0.1/24 dev near
ip link set near up
nsenter --net --target $far ip link set lo up
nsenter --net --target $far ip address add 10.77.0.2/24 dev far
nsenter --net --target $far ip link set far up

COWORK_FAULT_FAR=$far "$suite" --exact faults_network::a_cut_link_ends_no_turn_and_the_client_comes_back --ignored --nocapture
