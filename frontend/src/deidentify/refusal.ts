/** Why a file does not leave: the code and the sentence that the site's own programs give for the same file. */

export class Refusal extends Error {
  constructor(
    readonly code: string,
    sentence: string,
  ) {
    super(sentence);
  }
}
