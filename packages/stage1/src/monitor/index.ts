// SPDX-License-Identifier: Apache-2.0
export type { OutputChunk } from './connect-monitor.ts';
export type { LogEntry } from './log-line.ts';
export { leaveMonitors, monitorCgroup } from './monitor-cgroup.ts';
export { type MonitorFiles, monitorFiles } from './monitor-files.ts';
