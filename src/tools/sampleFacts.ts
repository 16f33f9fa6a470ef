/**
 * The closed world of the sample dataset: a small harbour museum that exists nowhere. Each fact is an answer with several
 * ways to ask for it, so that a held-out question asks for a fact that other training questions teach.
 */

export interface Fact {
  readonly answer: string;
  readonly questions: readonly string[];
}

/** One line a thing, cells separated by bars. */
const cells = (text: string) =>
  text
    .trim()
    .split('\n')
    .map(line => line.trim().split('|'));

const rooms = cells(`
Rope Room|first|sailor knots|green
Whale Hall|first|the bones of a whale|white
Net Room|first|fishing nets|brown
Map Room|second|old maps of the bay|red
Shell Room|second|shells from warm seas|pink
Bell Room|third|ship bells|blue
Storm Room|third|pictures of big storms|grey
Lamp Room|fourth|old lighthouse lamps|yellow
`);

const ships = cells(`
Morning Star|blue|tea|three
Grey Goose|red|salt|two
Little Anchor|green|books|one
North Wind|white|wood|four
Silver Fish|black|wool|two
Red Crab|yellow|apples|one
Old Lantern|brown|letters|three
`);

const goods = cells(`
toy lighthouse|wood|six
sailor hat|wool|nine
star map|paper|four
deck bell|brass|seven
captain cup|clay|five
rope belt|hemp|three
sea chest|wood|twenty
fish kite|cloth|eight
`);

const soups = cells(`
Tuesday|pea
Wednesday|fish
Thursday|onion
Friday|carrot
Saturday|potato
Sunday|tomato
`);

const written = cells(`
The museum opens at ten in the morning.|When does the museum open?|At what time does the museum open?|From what time can I visit the museum?|When can I go into the museum in the morning?|Tell me when the museum opens.
The museum closes at six in the evening.|When does the museum close?|Until what time is the museum open?|At what time do I have to leave the museum?|When do you close the museum?|Tell me when the museum closes.
The museum is closed on Monday.|On which day is the museum closed?|Is the museum open on Monday?|On which day can nobody visit the museum?|When is the museum closed?|Which day of the week is the museum closed?
A ticket for one person costs eight coins.|How much is a ticket for one person?|What does one ticket cost?|What is the price of a ticket for the museum?|How much does one person pay?|What is the price of one ticket?
A ticket for a child costs three coins.|How much is a ticket for a child?|What does a child pay?|What is the price for a child?|What does a ticket for a child cost?|What is the price of a ticket for a child?
A family ticket costs eighteen coins.|How much is a family ticket?|What does a family pay?|What is the price of a ticket for a family?|What does a family ticket cost?|What is the price of a family ticket?
Children under five need no ticket.|Who needs no ticket?|Does a very young child need a ticket?|Up to what age is the museum free for children?|Which children need no ticket?|Who can go into the museum without a ticket?
You can buy tickets at the red gate.|Where can I buy tickets?|Where do people sell tickets?|Where do I get a ticket for the museum?|Where can I buy a ticket?|Tell me where I can buy tickets.
The museum is free on the first day of May.|When is the museum free?|On which day do I not have to pay?|Is there a day without tickets?|On which day is the museum free?|When can I visit the museum without a ticket?
Dogs must wait in the garden.|May I bring my dog?|Where must dogs wait?|Can my dog come into the museum?|Can I bring a dog?|Where can my dog wait?
You may take photos without a flash.|May I take photos?|Can I use my camera in the museum?|Am I allowed to take a picture?|Can I take photos?|May I use a camera?
You may eat your own food in the garden.|Where may I eat my own food?|Can I bring my own food?|Is there a place to eat my bread?|Where can I eat my own food?|May I eat my own food here?
Big bags must go into a locker.|Where do I put my big bag?|May I bring a big bag?|What must I do with heavy bags?|Where do big bags go?|What must I do with a big bag?
The lockers are beside the stairs.|Where are the lockers?|Where can I find a locker?|How do I find the lockers?|Where is my locker?|Tell me where the lockers are.
The toilets are behind the shop.|Where are the toilets?|Where can I find a toilet?|Where can I wash my hands?|How do I find the toilets?|Tell me where the toilets are.
The lift is beside the Map Room.|Where is the lift?|How can I get up without the stairs?|Is there a lift in the museum?|Where can I find the lift?|How do I find the lift?
Lost things wait at the front desk.|Where are lost things?|I lost my hat. Where should I ask?|Where do you keep lost things?|Where can I find lost things?|Where do lost things wait?
You can borrow an umbrella at the front desk.|Where can I borrow an umbrella?|It rains. Can I get an umbrella?|Who lends umbrellas?|Where do I get an umbrella?|Can I borrow an umbrella?
You can park behind the old mill.|Where can I park?|Where can I leave my car?|Is there a place for cars?|Where may I park my car?|Tell me where I can park.
You can leave bicycles in the shed beside the gate.|Where can I leave my bicycle?|Is there a place for bicycles?|Where is the shed for bicycles?|Where can I leave bicycles?|Where do I leave my bicycle?
Bus seven stops at the museum.|Which bus stops at the museum?|Which bus should I take?|How do I get to the museum by bus?|Which bus goes to the museum?|What bus stops at the museum?
A tour starts every day at eleven.|When does the tour start?|At what time can I join a tour?|When is the next tour?|When does a tour start?|At what time does the tour start?
The tour takes fifty minutes.|How long does the tour take?|How long is the tour?|How many minutes does the tour take?|How many minutes is the tour?|Tell me how long the tour takes.
The guide carries a yellow flag.|How do I find the guide?|What does the guide carry?|Which flag has the guide?|Which flag does the guide carry?|What flag does the guide have?
The night tour is on Friday.|When is the night tour?|On which day can I join the night tour?|Is there a tour in the dark?|Which day is the night tour?|On which night is the night tour?
Please bring a lantern for the night tour.|What should I bring for the night tour?|What do I need for the night tour?|Do I need a lamp at night?|What must I bring for the night tour?|What do people bring for the night tour?
School classes come on Thursday morning.|When do school classes come?|When can I bring my class?|On which day do teachers and children come?|On which day do school classes come?|When do classes from the school come?
The quiet hour is on Wednesday at four.|When is the quiet hour?|When is the museum without noise?|On which day is the museum quiet?|On which day is the quiet hour?|At what time is the quiet hour?
You can have a birthday party in the Storm Room.|Where can I have a birthday party?|Can my child have a party in the museum?|Which room is good for a birthday?|In which room can I have a birthday party?|Where can my child have a birthday party?
You can learn to tie knots in the Rope Room.|Where can I learn to tie knots?|Who teaches me a knot?|In which room do people tie knots?|In which room can I learn to tie knots?|Where do people learn to tie knots?
You can blow the fog horn on Sunday.|When can I blow the fog horn?|On which day can I hear the fog horn?|May I try the fog horn?|On which day can I blow the fog horn?|When may I blow the fog horn?
The storm bell rings every day at noon.|When does the storm bell ring?|At what time can I hear the storm bell?|What rings at noon?|When can I hear the storm bell?|At what time does the storm bell ring?
The oldest thing in the museum is a stone anchor.|What is the oldest thing in the museum?|Which thing is older than all others?|Which thing in the museum is very old?|Tell me the oldest thing in the museum.|What is older than all other things in the museum?
The house was a fish market before.|What was the house before?|What was here before the museum?|What did people sell here long ago?|What was the house of the museum before?|What was this house long ago?
The lighthouse has ninety steps.|How many steps does the lighthouse have?|How many steps are there in the lighthouse?|Tell me how many steps I have to climb.|Tell me how many steps the lighthouse has.|How many steps must I climb in the lighthouse?
The lighthouse is white with a green roof.|What colour is the lighthouse?|What does the lighthouse look like?|Which colour has the roof of the lighthouse?|Which colour is the lighthouse?|Tell me the colour of the lighthouse.
The lamp of the lighthouse shines every twelve seconds.|How often does the lamp shine?|When does the lighthouse give light?|How many seconds are between two lights?|How often does the lamp of the lighthouse shine?|When does the lamp of the lighthouse shine?
You can climb the lighthouse on Saturday.|When can I climb the lighthouse?|On which day is the lighthouse open?|Can I go up the lighthouse?|On which day can I climb the lighthouse?|When may I climb the lighthouse?
From the lighthouse you can see Gull Island.|What can I see from the lighthouse?|What is the view from the lighthouse?|Which island can I see from the top?|What do I see from the lighthouse?|Which island can I see from the lighthouse?
Seals and gulls live on Gull Island.|Which animals live on Gull Island?|What lives on Gull Island?|Who lives on the island?|Which animals can I see on Gull Island?|What animals live on Gull Island?
The boat trip goes to Gull Island.|Where does the boat trip go?|Where will the boat take me?|Which place does the boat visit?|Where does the boat go?|To which island does the boat trip go?
The boat trip starts at two in the afternoon.|When does the boat trip start?|At what time does the boat leave?|When should I be at the boat?|When does the boat trip leave?|At what time does the boat trip start?
The boat trip costs five coins.|How much is the boat trip?|What does the boat trip cost?|What is the price of the boat trip?|What does the boat cost?|How much does the boat trip cost?
Please wear a warm coat on the boat.|What should I wear on the boat?|What do I need on the boat?|Is it cold on the boat?|What should I wear on the boat trip?|Which coat should I wear on the boat?
There is no boat trip in strong wind.|When is there no boat trip?|Does the boat go in a storm?|What happens to the boat trip in strong wind?|Is there a boat trip in strong wind?|In which weather is there no boat trip?
The cat of the museum is called Biscuit.|What is the name of the cat?|How is the cat of the museum called?|Who is Biscuit?|What is the cat called?|What is the name of the cat of the museum?
Biscuit sleeps in the Net Room.|Where does Biscuit sleep?|Where does the cat sleep?|In which room can I find the cat?|In which room does Biscuit sleep?|Where does the cat Biscuit sleep?
Biscuit likes fish pie.|What does Biscuit like?|What does the cat eat?|What is the favourite food of the cat?|What does Biscuit like to eat?|Which food does the cat like?
Biscuit is grey with white feet.|What colour is Biscuit?|What does the cat look like?|Which colour has the cat?|Which colour is Biscuit?|What does Biscuit look like?
The café is called the Warm Spoon.|What is the name of the café?|How is the café called?|What is the Warm Spoon?|What is the café called?|Tell me the name of the café.
The café is beside the harbour wall.|Where is the café?|Where can I drink tea?|How do I find the café?|Where can I find the café?|Tell me where the café is.
The café is known for its plum cake.|What is the café known for?|Which cake is the best?|What should I eat in the café?|Which cake is the café known for?|What cake should I eat in the café?
Hot chocolate costs two coins.|How much is hot chocolate?|What does hot chocolate cost?|What is the price of hot chocolate?|What is the price of a hot chocolate?|How much does hot chocolate cost?
The shop is next to the red gate.|Where is the shop?|Where can I buy a gift?|How do I find the shop?|Where can I find the shop?|Tell me where the shop is.
`);

/** Every fact, in a fixed order. */
export function listSampleFacts(): Fact[] {
  return [
    ...written.map(([answer, ...questions]) => ({ answer: answer!, questions })),
    ...rooms.flatMap(([room, floor, sight, door]) => [
      {
        answer: `The ${room} is on the ${floor} floor.`,
        questions: [
          `On which floor is the ${room}?`,
          `Where is the ${room}?`,
          `How do I find the ${room}?`,
          `Tell me where the ${room} is.`,
        ],
      },
      {
        answer: `In the ${room} you can see ${sight}.`,
        questions: [
          `What can I see in the ${room}?`,
          `What does the ${room} show?`,
          `What is there to see in the ${room}?`,
          `Tell me what I can see in the ${room}.`,
        ],
      },
      {
        answer: `The door of the ${room} is ${door}.`,
        questions: [
          `What colour is the door of the ${room}?`,
          `Which door leads into the ${room}?`,
          `Tell me the colour of the door of the ${room}.`,
          `Which colour is the door of the ${room}?`,
        ],
      },
    ]),
    ...ships.flatMap(([ship, colour, load, masts]) => [
      {
        answer: `The hull of the ${ship} is ${colour}.`,
        questions: [
          `What colour is the hull of the ${ship}?`,
          `What colour was the ${ship} painted?`,
          `Tell me the colour of the ${ship}.`,
          `Which colour is the ${ship}?`,
        ],
      },
      {
        answer: `The ${ship} carried ${load}.`,
        questions: [
          `What did the ${ship} carry?`,
          `What was the load of the ${ship}?`,
          `What did the ${ship} bring over the sea?`,
          `Tell me what the ${ship} carried.`,
        ],
      },
      {
        answer: `The ${ship} has ${masts} ${masts === 'one' ? 'mast' : 'masts'}.`,
        questions: [
          `How many masts does the ${ship} have?`,
          `How many masts are there on the ${ship}?`,
          `Tell me how many masts the ${ship} has.`,
          `How many masts can I see on the ${ship}?`,
        ],
      },
    ]),
    ...goods.flatMap(([thing, material, coins]) => [
      {
        answer: `The ${thing} costs ${coins} coins.`,
        questions: [
          `How much is the ${thing}?`,
          `What does the ${thing} cost?`,
          `What is the price of the ${thing}?`,
          `Tell me what the ${thing} costs.`,
        ],
      },
      {
        answer: `The ${thing} is made of ${material}.`,
        questions: [
          `What is the ${thing} made of?`,
          `Which material is the ${thing} made of?`,
          `Tell me what the ${thing} is made of.`,
          `From which material is the ${thing}?`,
        ],
      },
    ]),
    ...soups.map(([day, soup]) => ({
      answer: `On ${day} there is ${soup} soup.`,
      questions: [
        `Which soup is there on ${day}?`,
        `What soup can I eat on ${day}?`,
        `Which soup does the café have on ${day}?`,
        `Tell me which soup there is on ${day}.`,
      ],
    })),
  ];
}
