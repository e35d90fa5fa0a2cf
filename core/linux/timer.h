// SPDX-License-Identifier: BSD-3-Clause
// timer.h: timers whose expiry is a signal: timer_create, setitimer, alarm.
#ifndef CORE_LINUX_TIMER_H
#define CORE_LINUX_TIMER_H

struct linux_signal_info;

// Called by whoever took a signal that may be a timer's, without locks: the timer runs on, and how
// often it has expired meanwhile is filled in.
void timer_signal_taken(struct linux_signal_info *info);

#endif
