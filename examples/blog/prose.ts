/** The stock that the sample posts are put together from: topics, each with titles and sentences of its own. */

/** What one kind of post talks about. */
export interface Topic {
  readonly tag: string;
  readonly titles: readonly string[];
  readonly sentences: readonly string[];
}

export const topics: readonly Topic[] = [
  {
    tag: "bread",
    titles: [
      "A loaf for {season}",
      "What the dough knew",
      "Baking in {place}",
      "The second rise",
      "Rye for {person}",
      "The oven in {season}",
    ],
    sentences: [
      "The starter had doubled by seven, which in this kitchen counts as an early riser.",
      "I have stopped weighing the salt, and the bread has not complained.",
      "Flour from the mill at {place} drinks more water than the packet admits.",
      "A loaf is mostly waiting, with a little worry folded in.",
      "{person} says the crust should sing when it leaves the oven, and for once it did.",
      "We ate the first slice too hot, standing up, as one should.",
      "The oven runs {number} degrees cold, so everything I know about it is a correction.",
      "Rye forgives nearly everything except hurry.",
    ],
  },
  {
    tag: "tides",
    titles: [
      "Low water at {place}",
      "The long ebb",
      "Notes from the tide table",
      "{season}, with the tide out",
      "{person} and the slipway",
      "Walking out from {place}",
    ],
    sentences: [
      "At low water the harbour at {place} shows everything it has been given to keep.",
      "The table said ten past six; the sea, which cannot read, came at twenty past.",
      "Spring tides here move the height of a house, twice a day, without raising their voice.",
      "{person} keeps a stick by the slipway with {number} notches in it and no explanation.",
      "Waders work the edge of the water like proofreaders.",
      "You learn to walk on the ribs of the sand, where it is hardest.",
      "The mud remembers each boot until the next flood settles the account.",
      "By evening the boats had turned to face the other way, politely, all together.",
    ],
  },
  {
    tag: "gardens",
    titles: [
      "The garden in {season}",
      "Things that came up anyway",
      "Beans in {season}",
      "A bed by the south wall",
      "Seedlings from {person}",
      "The orchard at {place}",
    ],
    sentences: [
      "The beans went in on the first dry day and came up on the first wet one.",
      "{person} gave us {number} seedlings in a shoe box and would not hear of thanks.",
      "Most of gardening is deciding which plants you meant.",
      "The soil at the far end is still the builder’s, and will be for years.",
      "Blackbirds have opinions about mulch and express them before breakfast.",
      "Nothing in the catalogue looked like what the slugs left us, yet we ate well.",
      "A wall that faces south is worth a week of {season}.",
      "I wrote the names on the labels in pencil, which lasts; ink is for the optimistic.",
    ],
  },
  {
    tag: "bicycles",
    titles: [
      "To {place} and back",
      "A noise in the left pedal",
      "The hill before {place}",
      "Riding in {season}",
      "{person}’s spare spoke",
    ],
    sentences: [
      "It is {number} miles to {place}, and slightly more on the way back.",
      "The noise turned out to be the saddle, after everything else had been replaced.",
      "Nobody overtakes a bicycle on that hill; they only wait to see how it ends.",
      "{person} carries a spoke, a spanner and a sandwich, and has needed all three.",
      "With the wind behind you it is easy to believe in your own legs.",
      "The lane is mended with gravel every {season}, and thinks it over all year.",
      "A chain that is clean on Sunday is a kind of promise.",
      "We stopped at the bridge because everyone stops at the bridge.",
    ],
  },
  {
    tag: "letters",
    titles: [
      "A letter from {place}",
      "On answering late",
      "The drawer of envelopes",
      "Postmarked in {season}",
      "What {person} wrote back",
    ],
    sentences: [
      "The envelope had been to {place} and come back with a different handwriting on it.",
      "A late answer is at least not a hasty one, or so I wrote, late.",
      "{person} numbers every letter; we have reached {number}, with two missing.",
      "There is a way of folding paper that says: no need to reply.",
      "The stamps were worth more than the news, and we kept both.",
      "What I meant to say is usually in the postscript.",
      "The pen ran dry in the middle of an apology, which I took as editing.",
      "Good letters describe the weather as if it had happened to someone.",
    ],
  },
  {
    tag: "libraries",
    titles: [
      "The reading room at {place}",
      "Overdue since {season}",
      "{person} among the shelves",
      "What was between the pages",
      "A shelf in {season}",
    ],
    sentences: [
      "The reading room has {number} lamps, and a chair for each of them but one.",
      "Someone had left a bus ticket to {place} at the end of chapter nine and gone no further.",
      "{person} reshelves by colour when nobody from the council is looking.",
      "The catalogue and the shelves disagree, and both are kept.",
      "It rained on the roof light all morning, the best sort of quiet.",
      "I returned it a week late and was thanked for bringing it home.",
      "A pencilled note in the margin said only: no. I have thought about it since.",
      "The atlas still has countries in it that the news has lost.",
    ],
  },
  {
    tag: "clocks",
    titles: [
      "The clock at {place}",
      "Losing a minute in {season}",
      "Winding day",
      "The watch that {person} mended",
      "An hour in {season}",
    ],
    sentences: [
      "The church clock at {place} is right, {number} minutes from now.",
      "{person} winds it on Fridays and listens to it, as to a patient.",
      "Every clock in the house tells its own time, and we average.",
      "The pendulum wanted a penny’s weight, so it was given a penny.",
      "What people call slow is often only unhurried.",
      "When it stopped we noticed the silence first, and the hour only later.",
      "Brass keeps the warmth of the hand that set it for longer than you would think.",
      "We put it forward in {season}, and spent the week looking for the hour.",
    ],
  },
  {
    tag: "weather",
    titles: [
      "Rain over {place}",
      "A forecast for {season}",
      "Wind from the north-east",
      "Frost at {place}",
      "{person}’s rain gauge",
    ],
    sentences: [
      "The forecast said scattered, and the rain took it as an instruction.",
      "Over {place} the cloud sat down on the hill and took out its knitting.",
      "{person} has {number} years of rainfall in a school exercise book, and one blot.",
      "Fog makes a village of any town for a morning.",
      "The gulls came inland, which is the only forecast my grandmother paid for.",
      "Frost had drawn the same fern on every window, so as to be fair.",
      "In {season} the light arrives sideways and stays for tea.",
      "The wind dropped at noon, and everyone on the street spoke a little too loudly.",
    ],
  },
];

/** Sentences that fit any topic. */
export const asides: readonly string[] = [
  "None of this is urgent, which is why it is worth writing down.",
  "I asked in {place} whether it had always been so, and was told: since {season}.",
  "{person} disagrees, and may well be right by next week.",
  "We meant to stay for an hour and were gone for most of the day.",
  "There were {number} of us by then, if you count the dog.",
  "I have the notes somewhere, in a hand that I used to be able to read.",
  "It was better than I remembered, and I had remembered it kindly.",
  "On the way home nobody said much, and it did not need saying.",
  "The rest can wait for a longer evening.",
  "If there is a method in it, {person} has kept it from us.",
  "So we did it again, slower, and it went quicker.",
  "Tea was made, as it is on such occasions.",
  "I should like to say that we planned it.",
  "What is left over goes to the neighbours, who return the dish.",
  "You could do the same in {place}, with a better view.",
  "By {season} we shall have forgotten how, and begin again.",
];

export const slots: Readonly<Record<string, readonly string[]>> = {
  place: [
    "Tern Quay",
    "Hollowell",
    "Marrow Bridge",
    "St Osyth’s",
    "Long Acre",
    "Fennick",
    "Upper Sallow",
    "Kelder",
  ],
  season: ["early spring", "May", "high summer", "September", "late autumn", "the dark months", "February"],
  person: ["Ines", "old Tobias", "my sister", "the postman", "Mrs Adeyemi", "Jonas", "the ferryman", "Wen"],
  number: ["four", "seven", "nine", "eleven", "thirteen", "seventeen", "twenty-two", "thirty-one"],
};

export const firstNames: readonly string[] = [
  "Ada",
  "Bram",
  "Celia",
  "Dmitri",
  "Esi",
  "Farid",
  "Greta",
  "Hugo",
  "Ines",
  "Jonas",
];
export const lastNames: readonly string[] = [
  "Abara",
  "Brandt",
  "Costello",
  "Dunmore",
  "Eklund",
  "Farrow",
  "Giannou",
  "Hale",
  "Ishikawa",
  "Jansen",
];
export const trades: readonly string[] = [
  "boat builder",
  "librarian",
  "surveyor",
  "baker",
  "piano tuner",
  "ferry pilot",
  "bookbinder",
  "gardener",
];
