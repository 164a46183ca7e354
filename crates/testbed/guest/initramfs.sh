#!/bin/busybox sh
# First program of the guest: finds the disk, then becomes its /init.
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
for module in virtio_pci virtio_blk virtio_net ext4 veth overlay; do $b modprobe $module 2>/dev/null; done
for attempt in 1 2 3 4 5 6 7 8 9 10; do [ -b /dev/vda ] && break; $b sleep 0.2; done
$b mount -t ext4 /dev/vda /newroot
$b mount --move /dev /newroot/dev
$b umount /proc /sys
exec $b switch_root /newroot /init
