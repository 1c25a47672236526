// SPDX-License-Identifier: Apache-2.0

/** A layer that is there: its tar can be read at `path` and its encoded index (see `decodeLayerIndex`) is `index`. */
export interface PresentLayer {
  readonly state: 'present';
  /** The uncompressed layer tar. */
  readonly path: string;
  readonly index: Uint8Array;
}

/** Leave to write a layer. Exactly one of `commit` and `abort` must be called; disposing without either aborts. */
export interface LayerIngest extends AsyncDisposable {
  readonly state: 'ingest';
  /** An empty file, made exclusively, into which the uncompressed tar is to be written (any thread may open it by this path). */
  readonly path: string;
  /** The caller has verified that the file's SHA-256 is the diffID asked for. Makes the layer's bytes durable, and the layer visible. */
  commit(result: { readonly size: number; readonly index: Uint8Array }): Promise<PresentLayer>;
  abort(): Promise<void>;
}

export interface PrepareLayerOptions {
  readonly signal?: AbortSignal;
  /**
   * Called once when this begins to wait: for another process that is writing the same layer, or until a large
   * one that a process has left is read, to be known for what it is.
   */
  readonly onWait?: () => void;
}

/** The port through which conversion meets a store: layers by diffID, each written at most once. */
export interface LayerRepository {
  /** Gives the layer if it is there; otherwise exclusive leave to write it, waiting for another process that writes it already. */
  prepareLayer(diffId: string, options?: PrepareLayerOptions): Promise<PresentLayer | LayerIngest>;
}
