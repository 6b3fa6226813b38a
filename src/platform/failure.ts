/** Something a person has to know and can act on: the message is a whole sentence for them, with the object and the next step. */
export class Failure extends Error {
  override readonly name: string = "Failure";
}
