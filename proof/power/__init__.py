"""Power loss: a recorder of what a program does to its files, and the disks it may leave."""
