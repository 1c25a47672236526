// SPDX-License-Identifier: Apache-2.0

/** Codes thrown while an app is turned into an OCI runtime configuration. */
export type OciSpecErrorCode =
  | 'ERR_RKT_STAGE1_USER_NOT_FOUND'
  | 'ERR_RKT_STAGE1_GROUP_NOT_FOUND'
  | 'ERR_RKT_STAGE1_ID_OUT_OF_RANGE'
  | 'ERR_RKT_STAGE1_USER_DATABASE_INVALID'
  | 'ERR_RKT_STAGE1_APP_INVALID'
  | 'ERR_RKT_STAGE1_ISOLATOR_INVALID'
  | 'ERR_RKT_STAGE1_MOUNT_INVALID';

/** Codes thrown while networks are set up or torn down. */
export type NetworkErrorCode =
  | 'ERR_RKT_STAGE1_NETWORK_NOT_FOUND'
  | 'ERR_RKT_STAGE1_NETWORK_CONFIG_INVALID'
  | 'ERR_RKT_STAGE1_NETWORK_REQUEST_INVALID'
  | 'ERR_RKT_STAGE1_PLUGIN_MISSING'
  | 'ERR_RKT_STAGE1_PLUGIN_FAILED'
  | 'ERR_RKT_STAGE1_ADDRESS_UNAVAILABLE'
  | 'ERR_RKT_STAGE1_PORT_IN_USE'
  | 'ERR_RKT_STAGE1_PORT_FORWARD_IMPOSSIBLE';

/** Codes of the pods' life: directories, sandboxes, mounts, runtimes. */
export type PodErrorCode =
  | 'ERR_RKT_STAGE1_NOT_ROOT'
  | 'ERR_RKT_STAGE1_UNSAFE_OWNER'
  | 'ERR_RKT_STAGE1_SYSCALLS_UNAVAILABLE'
  | 'ERR_RKT_STAGE1_RUNTIME_MISSING'
  | 'ERR_RKT_STAGE1_RUNTIME_FAILED'
  | 'ERR_RKT_STAGE1_MONITOR_MISSING'
  | 'ERR_RKT_STAGE1_MONITOR_FAILED'
  | 'ERR_RKT_STAGE1_FLAVOR_NOT_FOUND'
  | 'ERR_RKT_STAGE1_FLAVOR_UNABLE'
  | 'ERR_RKT_STAGE1_MANIFEST_INVALID'
  | 'ERR_RKT_STAGE1_POD_NOT_FOUND'
  | 'ERR_RKT_STAGE1_AMBIGUOUS_POD_ID'
  | 'ERR_RKT_STAGE1_POD_CORRUPT'
  | 'ERR_RKT_STAGE1_POD_RUNNING'
  | 'ERR_RKT_STAGE1_POD_NOT_RUNNING'
  | 'ERR_RKT_STAGE1_POD_NOT_PREPARED'
  | 'ERR_RKT_STAGE1_POD_IMMUTABLE'
  | 'ERR_RKT_STAGE1_APP_NOT_FOUND'
  | 'ERR_RKT_STAGE1_APP_NOT_ADDED'
  | 'ERR_RKT_STAGE1_APP_NOT_RUNNING'
  | 'ERR_RKT_STAGE1_APP_RUNNING'
  | 'ERR_RKT_STAGE1_APP_NOT_DETACHED'
  | 'ERR_RKT_STAGE1_APP_UNSPECIFIED'
  | 'ERR_RKT_STAGE1_STATUS_UNKNOWN'
  | 'ERR_RKT_STAGE1_LOG_NOT_FOUND'
  | 'ERR_RKT_STAGE1_EXEC_NOT_FOUND'
  | 'ERR_RKT_STAGE1_EXEC_PERMISSION'
  | 'ERR_RKT_STAGE1_EXEC_FORMAT'
  | 'ERR_RKT_STAGE1_VOLUME_NOT_FOUND'
  | 'ERR_RKT_STAGE1_VOLUME_SOURCE_MISSING'
  | 'ERR_RKT_STAGE1_MOUNT_FAILED'
  | 'ERR_RKT_STAGE1_USER_NAMESPACE_UNAVAILABLE'
  | 'ERR_RKT_STAGE1_CLEANUP_FAILED';

/** Every code of this package. Codes are never renamed. */
export type Stage1ErrorCode = OciSpecErrorCode | NetworkErrorCode | PodErrorCode;

/** The only error class of this package. Match `code`, not the class. */
export class Stage1Error extends Error {
  override readonly name = 'Stage1Error';
  readonly code: Stage1ErrorCode;

  constructor(code: Stage1ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function isStage1Error(error: unknown): error is Stage1Error {
  return error instanceof Stage1Error;
}
