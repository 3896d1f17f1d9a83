type Mutable<T> = T extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends object
    ? { -readonly [K in keyof T]: Mutable<T[K]> }
    : T;

/** Examples are written as constants; the schemas' types have arrays that may change. */
export const plain = <T>(value: T): Mutable<T> => value as Mutable<T>;
