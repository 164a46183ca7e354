#!/bin/busybox sh
# The guest's one service: a Kubernetes node. The kernel's command line says what only the run knows.
export PATH=/opt/bin:/bin
argument() { sed -n "s/.*podsight\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
if [ "$(argument cgroup)" = v1 ]; then
  mount -t tmpfs cgroup /sys/fs/cgroup
  for controller in cpu cpuacct cpuset memory devices freezer pids blkio; do
    mkdir /sys/fs/cgroup/$controller
    mount -t cgroup -o $controller cgroup /sys/fs/cgroup/$controller
  done
else
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
log=/dev/$(argument log)
if [ -c "$log" ]; then
  stty -F "$log" raw -echo
  cat /dev/kmsg >"$log" &
fi
mount --make-rshared /
date -s "@$(argument now)" >/dev/null
hostname "$(cat /etc/hostname)"
ip link set lo up
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
ip route add default via 10.0.2.2
# 10.0.2.2 is the machine's loopback: the API server gets the address here that it has there.
forward "127.0.0.1:$(argument api)" "10.0.2.2:$(argument api)" &
echo "guest: kernel $(uname -r), up $(cut -d' ' -f1 /proc/uptime) s"
containerd --config /opt/containerd.toml >/var/log/containerd.log 2>&1 &
for attempt in $(seq 600); do [ -S /run/containerd/containerd.sock ] && break; sleep 0.2; done
ctr --namespace k8s.io images import /opt/images.tar
echo "guest: kubelet starts, up $(cut -d' ' -f1 /proc/uptime) s"
while true; do
  kubelet --config=/opt/kubelet.json --kubeconfig=/opt/kubeconfig --hostname-override="$(cat /etc/hostname)" --node-ip=10.0.2.15 >/var/log/kubelet.log 2>&1
  echo "guest: the kubelet ended"
  tail -n 5 /var/log/kubelet.log
  sleep 5
done
