/** An error with the name of its class, by which logs, and commands that never load the class, know it. */
export abstract class NamedError extends Error {
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}
