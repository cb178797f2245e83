/** Texts of the pages that say why something can't be shown. */
export const errorTexts = {
  bad_request: {
    title: "That did not work",
    message: "The page sent something that this server does not understand.",
    whatToDo: "Go back, reload the page and try again.",
  },
  forbidden: {
    title: "This was refused",
    message: "The request did not come from a page of this site, or its form is out of date.",
    whatToDo: "Go back, reload the page and send it again. Nothing was changed.",
  },
  not_found: {
    title: "There is nothing here",
    message: "The address is wrong, or what stood here is gone or belongs to somebody else.",
    whatToDo: "Check the address.",
  },
  expired: {
    title: "This page has expired",
    message: "The request was answered already, took too long, or was begun in another browser.",
    whatToDo: "Start again from the app that sent you here.",
  },
  too_large: {
    title: "That was too much",
    message: "The form is larger than this server takes.",
    whatToDo: "Go back and shorten what you entered.",
  },
  failure: {
    title: "Something went wrong here",
    message: "The server failed to show this page. Nothing was changed by your looking at it.",
    whatToDo: "Try again in a moment. If it goes on, give the operator of this server the request number below.",
  },
  requestId: "Request number",
  toStart: "Go to the start page",
};
