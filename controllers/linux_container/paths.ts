/**
 * Where things of a container are in the guest.
 *
 * @module
 */

/** Ids by which the guest knows a container; they never change. */
export interface GuestIds {
  /** Its pod. */
  readonly podId: string;
  /** The container. */
  readonly containerId: string;
}

/** Its bundle. */
export function guestBundle({ podId, containerId }: GuestIds): string {
  return `/run/gcs/pods/${podId}/${containerId}`;
}

/** Its root file system. */
export function guestRootfs(ids: GuestIds): string {
  return `${guestBundle(ids)}/rootfs`;
}

/** Its part of a writable disk that is mounted at `mount`. */
export function guestScratch(
  mount: string,
  { podId, containerId }: GuestIds,
): string {
  return `${mount}/scratch/${podId}/${containerId}`;
}
