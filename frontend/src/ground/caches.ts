/** Names of what is kept in a browser while a batch is taken along. */

/** One cache a person: `voxloop-offline:<user>`. */
export const CACHE = "voxloop-offline:";
export const cacheOf = (user: string): string => CACHE + user;

/** Shown for pages that were not taken along. */
export const OFFLINE_PAGE = "/offline/";
/** The service worker's address: at the root, so that it serves every page. */
export const WORKER = "/offline.js";

/** Voxels of one log-in: named by the beginning of its key, which is no secret once the log-in has ended. */
export const SHELF = "voxloop-voxels:";
export const shelfOf = (key: string): string => SHELF + key.slice(0, 12);
