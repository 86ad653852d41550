"""The sections of the supervisor's desk.

The desk shows one section at a time. `desk_control` holds the frame: the head line, the foot line
with what is typed and told, the keys, the help, the menu. A section is a **page** (`page.Page`);
`registry.SECTIONS` lists them all.

A list with a story
    Describe it (`section.Section`) and let `list_page.ListPage` show it. `orders` is the model. A
    description is: the name; the list of the core and the `Struct` that a row of it is decoded to;
    `key` (the text that pages go on after); `line` and `columns` (a row as cells, the names of the
    columns); `story` (the selected row, and what was asked for it, in sentences); `scopes` (what
    `o` goes through: filters by name); `details` (lists or requests asked when the cursor rests);
    `takes` (what kinds of scanned codes are found here, and as which text); `actions`.
    The list must take the filters `text`, `after`, `limit` and those of the scopes, and yield its
    rows in the order of `key`, after the row `after`, `limit` of them. `count_list` is a list of
    one row `{"count": n}` with the same filters but `after` and `limit`.

A layout of its own
    Write a kind of `page.Page`: make `widget` in `__init__` (any widget; make it of `Drawn` ones
    and give them `desk.glyphs`), ask with `ask_rows` and `ask_value`, keep what came, and let
    `draw` tell the widget what to show. `draw` is called after every answer and key; `desk.telling`
    has the words, the zone and the core's clock, and is `None` until the core has told its clock.
    `opened` is called whenever the page is shown, `poll` every two seconds while it is, `press`
    with keys that are no text, `press_letter` with letters, `look_for` with a text that was typed
    after `/` or scanned. `begin_round` makes all answers that are on their way come too late.

An action
    A letter opens a form (`forms.Form`): `Page.desk.fill(form, closed)`, or an `Action` of a
    described section. `Form.fields` answers, for what has been told so far, all fields in order:
    a text, one of some options, a badge, a PIN; `forms.signature` are the last two. `request` makes
    the one request that is sent of all that was told (the PIN is in it and nowhere else),
    `answered` says what became of it. With a `preview` that is shown before anybody signs.
    `resolve_form` is the model.

To add one: the page or description in a module here; its words in `words/english_<area>.py` and
`words/german_<area>.py` as `SectionWords` by name, added to `english_sections` and
`german_sections` (a test compares their keys); an `Entry` in `registry`. The desk's own keys are
the digits, `m`, `[`, `]`, `/`, Esc, F1, F7 and Ctrl+Q; everything else is the page's, and `o` lists
others where a list has scopes. Every text that is drawn has passed `safe_text.safe`.
"""
