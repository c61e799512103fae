# What people read: pages of sign-in, accounts, sessions, refusals, errors.

## Common frame
page-title = { $page } – { $brand }
error-title = Error: { $title }
error-heading = There is a problem
skip-link = Skip to content
session-until = Session until { $time }
session-until-day = Session until { $time }
session-idle = Session until { $time } without activity
session-idle-day = Session until { $time } without activity
account-link = My account
footer-label = Help and information
footer-help = Help
footer-privacy = Privacy
footer-dpo = Data protection officer
footer-accessibility-none = Accessibility: not compliant
footer-accessibility-partial = Accessibility: partially compliant
footer-accessibility-full = Accessibility: fully compliant
footer-flaw = Report a flaw
language-label = Language
language-french = Français
language-english = English

## Sign in
signin-title = Sign in
signin-context = You are going to { $host }.
login-label = Login
login-hint = As you received it, for example “acme/login”.
password-label = Password
password-show = Show password
password-hide = Hide password
password-show-short = Show
password-hide-short = Hide
computer-legend = This computer is
computer-public = shared or public: the session closes after { $idle } without activity
computer-private = mine: the session lasts { $most } at most, { $idle } without activity
duration-minutes = { $n ->
    [one] { $n } minute
   *[other] { $n } minutes
}
duration-hours = { $n ->
    [one] { $n } hour
   *[other] { $n } hours
}
signin-button = Sign in
signin-wrong = The login or the password does not match. Check Caps Lock and the keyboard language.
login-empty = Enter your login.
password-empty = Enter your password.
form-stale = This page was open for too long. Nothing was sent; start again.
cookies-refused = Your browser refuses cookies from { $portal }. Allow them, then try again.
limited = Too many attempts. Try again at { $time }. Services already open keep working.
limited-title = Too many attempts
busy = { $n ->
    [one] Many people are signing in right now. Try again in { $n } second. Services already open keep working.
   *[other] Many people are signing in right now. Try again in { $n } seconds. Services already open keep working.
}
try-again = Try again
start-again = Start again

## Continue
continue-title = You are signed in
continue-link = Continue to { $host }
continue-account = See my account
attempts = { $n ->
    [one] { $n } attempt was refused since you last signed in. Not you? Change your password.
   *[other] { $n } attempts were refused since you last signed in. Not you? Change your password.
}

## Choose and change a password
first-title = Choose your password
first-access = Access for
first-tenant = Organisation: { $tenant }
save-continue = Save and continue
link-dead-title = This link no longer works
link-dead = This link has been used or is no longer valid. Ask for a new one: { $contact }.
link-dead-plain = This link has been used or is no longer valid. Ask the person who gave it to you for a new one.
password-title = Change password
password-current = Current password
password-new = New password
password-repeat = Repeat the new password
password-hint = Several unrelated words make a good password. Spaces and accents count; pasting is allowed.
password-rules = Rules
rule-length = { $n ->
    [one] At least { $n } character.
   *[other] At least { $n } characters.
}
rule-common = Not one of the most used passwords.
rule-own = Not your name, your login or your organisation’s.
rule-digits = Not digits alone, unless there are { $n } of them.
rule-classes = Signs of at least { $n } kinds: small letters, capitals, digits, other signs.
rule-counts = At least { $list }.
rule-or-length = { $n ->
    [one] Or take at least { $n } character.
   *[other] Or take at least { $n } characters.
}
rule-distinct = At least { $n } different signs.
rule-repeats = The same sign no more than { $n } times in a row.
rule-runs = No more than { $n } signs in a row along the keyboard, the alphabet or the digits.
rule-guesses = Not very common words, names or dates put together.
rule-listed = Not a password of your organisation’s list.
rule-breached = Not a password that leaked somewhere.
rule-own-years = Not your name, your login, your organisation’s or a recent year.
rule-similar = Quite another one than the current.
rule-reused = None of your last { $n } passwords.
rule-of-role = Set for your role.
rule-of-tenant = Set by your organisation.
class-lower = { $n ->
    [one] { $n } small letter
   *[other] { $n } small letters
}
class-upper = { $n ->
    [one] { $n } capital
   *[other] { $n } capitals
}
class-digit = { $n ->
    [one] { $n } digit
   *[other] { $n } digits
}
class-sign = { $n ->
    [one] { $n } other sign
   *[other] { $n } other signs
}
password-change-button = Change password
password-forced = The password that you were given is provisional. Choose your own to continue.
password-changed = Password changed. Your other sessions are closed.
current-empty = Enter your current password.
current-wrong = The current password does not match.
new-empty = Enter a new password.
repeat-differs = The two entries differ. Enter the same password twice.
failed-short = { $missing ->
    [one] { $missing } character is missing: at least { $min } are needed. Add a word.
   *[other] { $missing } characters are missing: at least { $min } are needed. Add a word.
}
failed-long = This password is longer than { $max } characters. Shorten it.
failed-common = This password is among the most used. Choose unrelated words.
failed-own = It contains your name, your login or your organisation’s. Remove it.
failed-simple = It uses too few kinds of signs for its length. Add letters or words.
failed-characters = It contains a sign that cannot be typed on a keyboard. Remove it.
failed-classes = It mixes too few kinds of signs: { $n } are needed of small letters, capitals, digits, other signs. Add some.
failed-counts = It lacks { $list }. Add them.
failed-distinct = It has too few different signs: at least { $n } are needed. Vary them.
failed-repeats = The same sign stands more than { $n } times in a row. Break the repetition.
failed-runs = It follows the keyboard, the alphabet or the digits for more than { $n } signs. Break the run.
failed-guesses = It is guessed too soon: very common words, names or dates. Add an unrelated word.
failed-listed = It is on your organisation’s list. Choose another.
failed-breached = It leaked somewhere. Choose another.
failed-breach-unknown = Whether it leaked cannot be checked now. Try again in a few minutes.
failed-year = It contains a recent year. Remove it.
failed-similar = It is too close to the old one. Change more of it.
failed-reused = It is one of your last { $n } passwords. Choose another.
failed-same = It is the current password. Choose another.

## My account
account-title = My account
account-login = Login
account-tenant = Organisation
services-title = My services
services-none = No service is open to your account. Support can tell you more.
account-password = Password
account-password-change = Change
account-password-change-what = the password
account-sessions = Sessions
account-sessions-see = See
account-sessions-see-what = my sessions

## My sessions
sessions-title = My sessions
session-this = This session
session-started = Started
session-used = Last used
session-ends = Ends at the latest
session-address = Address
session-computer = Computer
session-computer-public = shared or public
session-computer-private = mine
session-browser = { $browser } on { $system }
session-browser-unknown = Unknown browser
session-end-one = End this session
session-end-others = { $n ->
    [one] End the other session
   *[other] End the { $n } other sessions
}
session-ended = Session ended. It no longer opens anything.
sessions-ended = The other sessions are ended. They no longer open anything.
sessions-empty = No other session is open.
sessions-page = Page { $page } of { $pages }
sessions-previous = Previous sessions
sessions-next = Next sessions
sessions-zone = Time zone: { $zone }
sessions-past = Last sessions that ended
session-past-ended = Ended
session-over-signed-out = signed out
session-over-elsewhere = ended from another session
session-over-replaced = replaced by a new sign-in
session-over-password = password changed
session-over-expired = time limit reached
session-over-idle = unused for too long
session-over-too-many = too many sessions at once
session-over-administration = ended by an administrator
ending-soon = Your session ends at { $time }.
ending-soon-day = Your session ends on { $time }.
ending-stay = Stay signed in

## Sign out
signout-title = Sign out
signout-button = Sign out
signout-ask = You will also leave: { $hosts }.
signout-ask-plain = Your session will be closed.
signout-stay = Stay
signedout-title = Signed out
signedout = You have left all services.
signedout-public = Also close all windows of this browser.
signedout-cleared = Traces cleared in this browser:
signedout-visit = Clear the traces of { $host }
signedout-visiting = Clearing traces in this browser

## Refusals and errors
refused-title = Access refused
refused-body = Your session is valid, but this page is not open to your account.
reference = Reference to quote: { $id }
reference-copy = Copy
reference-copied = Copied
refused-support = Write to support
refused-support-subject = Access refused, reference { $id }
error-support-subject = Error, reference { $id }
refused-services = My services
refused-other = Use another account
signin-needed-title = Sign-in needed
signin-needed = This page asks you to sign in.
error-not-you = This is not your doing.
error-bad-title = Address not accepted
error-bad = This address is not accepted.
error-bad-what = Check the link, or start from the service’s home page.
error-missing-title = Page not found
error-missing = This page does not exist.
error-down-title = Service unavailable
error-down = { $host } does not answer. This is not your doing.
error-down-what = Try again in a few minutes.
error-slow-title = Answer too slow
error-slow = { $host } takes too long.
error-slow-write = What you sent may have been taken into account: check before you repeat.
error-large-title = Too much sent
error-large = What you sent is larger than what is accepted.
error-closed-title = Closed for the moment
error-closed = Access cannot be checked right now. This is not your doing.
error-late-title = Sent too slowly
error-late = What you sent did not arrive in time.
error-fault-title = Something went wrong here
error-fault = The request could not be handled. This is not your doing.
error-method-title = Action not accepted
error-method = This address does not accept this action.
error-time = Time: { $time }
error-form-title = Form refused
error-form = This form was not sent from a page of { $portal }. Nothing was done.
enter-dead-title = This link has expired
enter-dead = The link to the service has expired or has been used. Start again.

## Dates
date-sentence = { $day } { $month } { $year } at { $time } ({ $zone })
date-clock-zone = { $time } ({ $zone })
date-clock = { $hour }:{ $minute }
date-day-time = { $day } { $month } { $year } at { $time }
date-short = { $day } { $month } at { $time }
date-zone = { $city } time
date-zone-vowel = { $city } time
date-zone-utc = UTC
date-first = 1
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December

## Invitation letter
letter-title = Your access to { $brand }
letter-greeting = Dear { $name },
letter-greeting-plain = Hello,
letter-intro = An access to { $brand } has been prepared for you. To open it, choose your password.
letter-step-link = Open this address in your browser:
letter-step-password = Choose a password: several unrelated words do well.
letter-step-keep = Keep your login. Your password is known to you alone.
letter-login = Login
letter-tenant = Organisation
letter-portal = To come back
letter-expires = The address in step 1 works once, until { $time }.
letter-warning = Pass this letter on to nobody. Nobody will ask you for your password.
letter-help = If something does not work: { $contact }.
letter-privacy = Your personal data: { $contact }.
