# Ce que lisent les personnes : pages d’entrée, comptes, sessions, refus, erreurs.

## Cadre commun
page-title = { $page } – { $brand }
error-title = Erreur : { $title }
error-heading = Il y a un problème
skip-link = Aller au contenu
session-until = Session jusqu’à { $time }
session-until-day = Session jusqu’au { $time }
session-idle = Session jusqu’à { $time } sans activité
session-idle-day = Session jusqu’au { $time } sans activité
account-link = Mon compte
footer-label = Aide et informations
footer-help = Aide
footer-privacy = Données personnelles
footer-dpo = Délégué à la protection des données
footer-accessibility-none = Accessibilité : non conforme
footer-accessibility-partial = Accessibilité : partiellement conforme
footer-accessibility-full = Accessibilité : totalement conforme
footer-flaw = Signaler une faille
language-label = Langue
language-french = Français
language-english = English

## Se connecter
signin-title = Connexion
signin-context = Vous allez vers { $host }.
login-label = Identifiant
login-hint = Tel que vous l’avez reçu, par exemple « acme/identifiant ».
password-label = Mot de passe
password-show = Afficher le mot de passe
password-hide = Masquer le mot de passe
password-show-short = Afficher
password-hide-short = Masquer
computer-legend = Cet ordinateur est
computer-public = partagé ou public : la session se ferme après { $idle } sans activité
computer-private = le mien : la session dure { $most } au plus, { $idle } sans activité
duration-minutes = { $n ->
    [one] { $n } minute
   *[other] { $n } minutes
}
duration-hours = { $n ->
    [one] { $n } heure
   *[other] { $n } heures
}
signin-button = Se connecter
signin-wrong = L’identifiant ou le mot de passe ne correspond pas. Vérifiez la touche Verr. Maj. et la langue du clavier.
login-empty = Saisissez votre identifiant.
password-empty = Saisissez votre mot de passe.
form-stale = Cette page était ouverte depuis trop longtemps. Rien n’a été envoyé ; recommencez.
cookies-refused = Votre navigateur refuse les cookies de { $portal }. Autorisez-les, puis réessayez.
limited = Trop de tentatives. Réessayez à { $time }. Les services déjà ouverts continuent de fonctionner.
limited-title = Trop de tentatives
busy = { $n ->
    [one] Beaucoup de personnes se connectent en ce moment. Réessayez dans { $n } seconde. Les services déjà ouverts continuent de fonctionner.
   *[other] Beaucoup de personnes se connectent en ce moment. Réessayez dans { $n } secondes. Les services déjà ouverts continuent de fonctionner.
}
try-again = Réessayer
start-again = Recommencer

## Continuer
continue-title = Connexion réussie
continue-link = Continuer vers { $host }
continue-account = Voir mon compte
attempts = { $n ->
    [one] { $n } tentative a été refusée depuis votre dernière connexion. Ce n’était pas vous ? Changez votre mot de passe.
   *[other] { $n } tentatives ont été refusées depuis votre dernière connexion. Ce n’était pas vous ? Changez votre mot de passe.
}

## Choisir et changer un mot de passe
first-title = Choisissez votre mot de passe
first-access = Accès pour
first-tenant = Organisation : { $tenant }
save-continue = Enregistrer et continuer
link-dead-title = Ce lien ne sert plus
link-dead = Ce lien a déjà servi ou n’est plus valable. Demandez-en un nouveau : { $contact }.
link-dead-plain = Ce lien a déjà servi ou n’est plus valable. Demandez-en un nouveau à la personne qui vous l’a remis.
password-title = Changer le mot de passe
password-current = Mot de passe actuel
password-new = Nouveau mot de passe
password-repeat = Répétez le nouveau mot de passe
password-hint = Plusieurs mots sans lien font un bon mot de passe. Les espaces et les accents comptent ; coller est permis.
password-rules = Règles
rule-length = { $n ->
    [one] Au moins { $n } caractère.
   *[other] Au moins { $n } caractères.
}
rule-common = Pas un mot de passe parmi les plus utilisés.
rule-own = Ni votre nom, ni votre identifiant, ni celui de votre organisation.
rule-digits = Pas uniquement des chiffres, à moins d’en avoir { $n }.
rule-classes = Des signes de { $n } sortes au moins : minuscules, majuscules, chiffres, autres signes.
rule-counts = Au moins { $list }.
rule-or-length = { $n ->
    [one] Ou bien prenez au moins { $n } caractère.
   *[other] Ou bien prenez au moins { $n } caractères.
}
rule-distinct = Au moins { $n } signes différents.
rule-repeats = Pas plus de { $n } fois le même signe de suite.
rule-runs = Pas plus de { $n } signes de suite le long du clavier, de l’alphabet ou des chiffres.
rule-guesses = Ni mots très courants, ni prénoms, ni dates mis bout à bout.
rule-listed = Pas un mot de passe de la liste de votre organisation.
rule-breached = Pas un mot de passe divulgué lors d’une fuite.
rule-own-years = Ni votre nom, ni votre identifiant, ni celui de votre organisation, ni une année récente.
rule-similar = Bien différent de l’actuel.
rule-reused = Aucun de vos { $n } derniers mots de passe.
rule-of-role = Règle de votre fonction.
rule-of-tenant = Règle de votre organisation.
class-lower = { $n ->
    [one] { $n } minuscule
   *[other] { $n } minuscules
}
class-upper = { $n ->
    [one] { $n } majuscule
   *[other] { $n } majuscules
}
class-digit = { $n ->
    [one] { $n } chiffre
   *[other] { $n } chiffres
}
class-sign = { $n ->
    [one] { $n } autre signe
   *[other] { $n } autres signes
}
password-change-button = Changer le mot de passe
password-forced = Le mot de passe qui vous a été remis est provisoire. Choisissez le vôtre pour continuer.
password-changed = Mot de passe changé. Vos autres sessions sont fermées.
current-empty = Saisissez votre mot de passe actuel.
current-wrong = Le mot de passe actuel ne correspond pas.
new-empty = Saisissez un nouveau mot de passe.
repeat-differs = Les deux saisies diffèrent. Saisissez deux fois le même mot de passe.
failed-short = { $missing ->
    [one] Il manque { $missing } caractère : il en faut au moins { $min }. Ajoutez un mot.
   *[other] Il manque { $missing } caractères : il en faut au moins { $min }. Ajoutez un mot.
}
failed-long = Ce mot de passe dépasse { $max } caractères. Raccourcissez-le.
failed-common = Ce mot de passe figure parmi les plus utilisés. Choisissez des mots sans lien entre eux.
failed-own = Il contient votre nom, votre identifiant ou celui de votre organisation. Retirez-le.
failed-simple = Il emploie trop peu de sortes de signes pour sa longueur. Ajoutez des lettres ou des mots.
failed-characters = Il contient un signe qui ne se saisit pas au clavier. Retirez-le.
failed-classes = Il mélange trop peu de sortes de signes : il en faut { $n } parmi minuscules, majuscules, chiffres, autres signes. Ajoutez-en.
failed-counts = Il y manque { $list }. Ajoutez-les.
failed-distinct = Il compte trop peu de signes différents : il en faut au moins { $n }. Variez-les.
failed-repeats = Un même signe y revient plus de { $n } fois de suite. Coupez la répétition.
failed-runs = Il suit le clavier, l’alphabet ou les chiffres sur plus de { $n } signes. Coupez la suite.
failed-guesses = Il se devine trop vite : mots très courants, prénoms ou dates. Ajoutez un mot sans lien.
failed-listed = Il figure sur la liste de votre organisation. Choisissez-en un autre.
failed-breached = Il a été divulgué lors d’une fuite. Choisissez-en un autre.
failed-breach-unknown = Impossible de vérifier s’il a été divulgué. Réessayez dans quelques minutes.
failed-year = Il contient une année récente. Retirez-la.
failed-similar = Il ressemble trop à l’ancien. Changez-en davantage.
failed-reused = Il fait partie de vos { $n } derniers mots de passe. Choisissez-en un autre.
failed-same = C’est le mot de passe actuel. Choisissez-en un autre.

## Mon compte
account-title = Mon compte
account-login = Identifiant
account-tenant = Organisation
services-title = Mes services
services-none = Aucun service n’est ouvert à votre compte. L’assistance peut vous renseigner.
account-password = Mot de passe
account-password-change = Changer
account-password-change-what = le mot de passe
account-sessions = Sessions
account-sessions-see = Voir
account-sessions-see-what = mes sessions

## Mes sessions
sessions-title = Mes sessions
session-this = Cette session
session-started = Ouverte
session-used = Dernière activité
session-ends = Se ferme au plus tard
session-address = Adresse
session-computer = Ordinateur
session-computer-public = partagé ou public
session-computer-private = le mien
session-browser = { $browser } sur { $system }
session-browser-unknown = Navigateur inconnu
session-end-one = Fermer cette session
session-end-others = { $n ->
    [one] Fermer l’autre session
   *[other] Fermer les { $n } autres sessions
}
session-ended = Session fermée. Elle ne donne plus accès à rien.
sessions-ended = Les autres sessions sont fermées. Elles ne donnent plus accès à rien.
sessions-empty = Aucune autre session n’est ouverte.
sessions-page = Page { $page } sur { $pages }
sessions-previous = Sessions précédentes
sessions-next = Sessions suivantes
sessions-zone = Fuseau horaire : { $zone }
sessions-past = Dernières sessions fermées
session-past-ended = Fermée
session-over-signed-out = déconnexion
session-over-elsewhere = fermée depuis une autre session
session-over-replaced = remplacée par une nouvelle connexion
session-over-password = mot de passe changé
session-over-expired = durée maximale atteinte
session-over-idle = trop longtemps sans activité
session-over-too-many = trop de sessions à la fois
session-over-administration = fermée par l’administration
ending-soon = Votre session se ferme à { $time }.
ending-soon-day = Votre session se ferme le { $time }.
ending-stay = Prolonger la session

## Se déconnecter
signout-title = Se déconnecter
signout-button = Se déconnecter
signout-ask = Vous quitterez aussi : { $hosts }.
signout-ask-plain = Votre session sera fermée.
signout-stay = Rester
signedout-title = Déconnexion terminée
signedout = Vous avez quitté tous les services.
signedout-public = Fermez aussi toutes les fenêtres de ce navigateur.
signedout-cleared = Traces effacées dans ce navigateur :
signedout-visit = Effacer les traces de { $host }
signedout-visiting = Effacement des traces dans ce navigateur

## Refus et erreurs
refused-title = Accès refusé
refused-body = Votre session est valable, mais cette page n’est pas ouverte à votre compte.
reference = Référence à citer : { $id }
reference-copy = Copier
reference-copied = Copié
refused-support = Écrire à l’assistance
refused-support-subject = Accès refusé, référence { $id }
error-support-subject = Erreur, référence { $id }
refused-services = Mes services
refused-other = Changer de compte
signin-needed-title = Connexion nécessaire
signin-needed = Cette page demande une connexion.
error-not-you = Cela ne vient pas de vous.
error-bad-title = Adresse non acceptée
error-bad = Cette adresse n’est pas acceptée.
error-bad-what = Vérifiez le lien, ou repartez de la page d’accueil du service.
error-missing-title = Page introuvable
error-missing = Cette page n’existe pas.
error-down-title = Service indisponible
error-down = { $host } ne répond pas. Cela ne vient pas de vous.
error-down-what = Réessayez dans quelques minutes.
error-slow-title = Réponse trop lente
error-slow = { $host } met trop de temps à répondre.
error-slow-write = Votre envoi a peut-être été pris en compte : vérifiez avant de recommencer.
error-large-title = Envoi trop gros
error-large = Ce que vous avez envoyé dépasse la taille acceptée.
error-closed-title = Entrée fermée pour le moment
error-closed = L’accès ne peut pas être vérifié en ce moment. Cela ne vient pas de vous.
error-late-title = Envoi trop lent
error-late = Votre envoi n’est pas arrivé à temps.
error-fault-title = Erreur de notre côté
error-fault = La demande n’a pas pu être traitée. Cela ne vient pas de vous.
error-method-title = Action non acceptée
error-method = Cette adresse n’accepte pas cette action.
error-time = Heure : { $time }
error-form-title = Envoi refusé
error-form = Cet envoi ne vient pas d’une page de { $portal }. Rien n’a été fait.
enter-dead-title = Passage expiré
enter-dead = Ce passage vers le service a expiré ou a déjà servi. Recommencez.

## Dates
date-sentence = { $day } { $month } { $year } à { $time } ({ $zone })
date-clock-zone = { $time } ({ $zone })
date-clock = { $hour } h { $minute }
date-day-time = { $day } { $month } { $year } à { $time }
date-short = { $day } { $month } à { $time }
date-zone = heure de { $city }
date-zone-vowel = heure d’{ $city }
date-zone-utc = UTC
date-first = 1er
month-1 = janvier
month-2 = février
month-3 = mars
month-4 = avril
month-5 = mai
month-6 = juin
month-7 = juillet
month-8 = août
month-9 = septembre
month-10 = octobre
month-11 = novembre
month-12 = décembre

## Lettre d’invitation
letter-title = Votre accès à { $brand }
letter-greeting = Bonjour { $name },
letter-greeting-plain = Bonjour,
letter-intro = Un accès à { $brand } a été préparé pour vous. Pour l’ouvrir, choisissez votre mot de passe.
letter-step-link = Ouvrez cette adresse dans votre navigateur :
letter-step-password = Choisissez un mot de passe : plusieurs mots sans lien entre eux conviennent bien.
letter-step-keep = Gardez votre identifiant. Votre mot de passe, lui, n’est connu que de vous.
letter-login = Identifiant
letter-tenant = Organisation
letter-portal = Pour revenir
letter-expires = L’adresse du point 1 sert une seule fois, jusqu’au { $time }.
letter-warning = Ne transmettez cette lettre à personne. Personne ne vous demandera votre mot de passe.
letter-help = En cas de difficulté : { $contact }.
letter-privacy = Vos données personnelles : { $contact }.
