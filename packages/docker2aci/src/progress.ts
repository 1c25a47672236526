// SPDX-License-Identifier: Apache-2.0

/** What happens in a conversion; past or present facts that can be written as JSON. Sizes in bytes. */
export type ConversionEvent =
  /** A layer is fetched. `size` is that of the blob. */
  | { readonly type: 'layer:start'; readonly digest: string; readonly diffId: string; readonly size: number }
  /** At most ten times a second and layer. `received` counts bytes of the blob. */
  | { readonly type: 'layer:bytes'; readonly digest: string; readonly received: number; readonly size: number }
  /** The repository has the layer. */
  | { readonly type: 'layer:present'; readonly digest: string; readonly diffId: string }
  /** Another process writes the layer, and this one waits for it; or has left it, and it is read to see whether it is whole. */
  | { readonly type: 'layer:wait'; readonly digest: string; readonly diffId: string }
  /** The layer is verified and in the repository. `size` is that of the tar. */
  | { readonly type: 'layer:done'; readonly digest: string; readonly diffId: string; readonly size: number }
  /** All layers are there; what is left of the image ID is computed. */
  | { readonly type: 'image:hashing' }
  | { readonly type: 'image:done'; readonly id: string; readonly size: number };

export type OnConversionProgress = (event: ConversionEvent) => void;
