/** The world of the tiny model: everyday things and what is true of them. Each table is one line a thing. */

function table<const Names extends readonly string[]>(names: Names, text: string): Record<Names[number], string>[] {
  return text
    .trim()
    .split('\n')
    .map(line => {
      const cells = line.trim().split('|');
      if (cells.length !== names.length) throw new Error(`internal: expected ${names.length} cells in "${line}"`);
      return Object.fromEntries(names.map((name, i) => [name, cells[i]!])) as Record<Names[number], string>;
    });
}

export const animals = table(
  ['name', 'home', 'food', 'young', 'sound', 'legs', 'skill', 'size', 'colour'],
  `
cow|on a farm|grass|calf|moos|four|give milk|8|brown
horse|on a farm|hay|foal|neighs|four|run fast|8|brown
pig|on a farm|corn|piglet|grunts|four|find food with its nose|6|pink
sheep|on a farm|grass|lamb|bleats|four|give wool|6|white
goat|on a farm|leaves|kid|bleats|four|climb hills|6|white
hen|on a farm|seeds|chick|clucks|two|lay eggs|4|brown
duck|by the pond|water plants|duckling|quacks|two|swim well|4|green
goose|by the lake|grass|gosling|honks|two|fly far|5|grey
dog|in a house|meat|puppy|barks|four|guard the house|5|brown
cat|in a house|fish|kitten|meows|four|catch mice|4|black
mouse|in a hole|cheese|pup|squeaks|four|hide in small holes|2|grey
rabbit|in a burrow|carrots|kit|squeaks|four|jump far|3|grey
fox|in the forest|mice|cub|barks|four|run quietly|5|red
wolf|in the forest|meat|pup|howls|four|hunt in a group|6|grey
bear|in the forest|honey|cub|growls|four|sleep all winter|8|brown
deer|in the forest|leaves|fawn|calls|four|jump over fences|7|brown
owl|in a tree|mice|chick|hoots|two|see in the dark|4|brown
frog|in a pond|flies|tadpole|croaks|four|jump high|2|green
lion|in a warm land|meat|cub|roars|four|roar loudly|8|yellow
elephant|in a warm land|leaves|calf|trumpets|four|lift heavy things|10|grey
monkey|in the jungle|bananas|baby|chatters|four|climb trees|5|brown
parrot|in the jungle|nuts|chick|talks|two|copy words|3|green
snake|under a stone|mice|baby|hisses|no|move without legs|4|green
turtle|in the sea|sea grass|baby|makes little sound|four|live very long|5|green
whale|in the sea|small fish|calf|sings|no|dive deep|10|blue
seal|by the sea|fish|pup|barks|no|swim and dive|7|grey
dolphin|in the sea|fish|calf|clicks|no|jump out of the water|7|grey
crab|on the beach|small plants|baby|makes little sound|ten|walk to the side|2|red
gull|by the sea|fish|chick|cries|two|fly over the waves|3|white
bee|in a hive|nectar|grub|buzzes|six|make honey|1|yellow
ant|in the ground|crumbs|grub|makes little sound|six|carry big crumbs|1|black
spider|in a web|flies|baby|makes no sound|eight|make a web|1|black
penguin|on the ice|fish|chick|calls|two|slide on its belly|5|black
camel|in the desert|dry plants|calf|grunts|four|walk far without water|9|brown
squirrel|in a tree|nuts|kit|chatters|four|climb and jump|3|red
hedgehog|in the garden|worms|baby|snuffles|four|roll into a ball|3|brown
`,
);

export const foods = table(
  ['name', 'kind', 'colour', 'taste', 'source'],
  `
apple|fruit|red|sweet|a tree
pear|fruit|green|sweet|a tree
plum|fruit|purple|sweet|a tree
cherry|fruit|red|sweet|a tree
lemon|fruit|yellow|sour|a tree
orange|fruit|orange|sweet|a tree
banana|fruit|yellow|sweet|a tall plant
grape|fruit|purple|sweet|a vine
strawberry|fruit|red|sweet|a small plant
peach|fruit|orange|sweet|a tree
carrot|vegetable|orange|sweet|the ground
potato|vegetable|brown|mild|the ground
onion|vegetable|white|sharp|the ground
pea|vegetable|green|sweet|a green pod
bean|vegetable|green|mild|a climbing plant
tomato|vegetable|red|fresh|a green plant
cabbage|vegetable|green|mild|the field
pumpkin|vegetable|orange|mild|the field
cucumber|vegetable|green|fresh|a green plant
mushroom|vegetable|white|mild|the forest
`,
);

export const dishes = table(
  ['name', 'made', 'warm'],
  `
bread|flour, water and salt|warm
soup|water and vegetables|hot
cake|flour, eggs and sugar|fresh
tea|leaves and hot water|hot
porridge|oats and milk|warm
butter|cream|cold
cheese|milk|fresh
jam|fruit and sugar|cold
salad|fresh leaves and vegetables|cold
pancakes|flour, eggs and milk|warm
juice|fresh fruit|cold
fish pie|fish and potatoes|hot
hot chocolate|milk and chocolate|hot
ice cream|cream and sugar|cold
`,
);

export const tools = table(
  ['name', 'use', 'material', 'place'],
  `
hammer|hit nails|iron|in the workshop
saw|cut wood|steel|in the workshop
spade|dig holes|steel|in the garden
rake|gather leaves|wood|in the garden
broom|sweep the floor|straw|in the hall
bucket|carry water|tin|by the well
ladder|climb up high|wood|against the wall
key|open a lock|iron|in a pocket
knife|cut bread|steel|in the kitchen
spoon|eat soup|silver|in the kitchen
fork|pick up food|steel|on the table
pot|cook soup|iron|on the stove
kettle|boil water|copper|on the stove
cup|drink tea|clay|on the shelf
plate|hold food|clay|on the shelf
needle|sew clothes|steel|in a small box
brush|paint a wall|wood|in the workshop
pen|write a letter|plastic|on the desk
pencil|draw a picture|wood|on the desk
ruler|measure a line|wood|on the desk
lamp|light a room|glass|on the table
candle|give a small light|wax|on the table
lantern|carry a light outside|tin|by the door
clock|tell the time|brass|on the wall
mirror|see your face|glass|on the wall
umbrella|stay dry in the rain|cloth|by the door
basket|carry fruit|straw|in the kitchen
rope|tie things together|hemp|in the shed
net|catch fish|string|on the boat
anchor|hold a boat in place|iron|on the boat
oar|row a boat|wood|in the boat
sail|catch the wind|cloth|on the mast
compass|find the north|brass|in the cabin
map|find your way|paper|in a bag
bell|call people|brass|in the tower
whistle|make a sharp sound|tin|in a pocket
telescope|look at the stars|brass|by the window
camera|take photos|plastic|in a bag
bag|carry books|cloth|on the chair
box|keep small things|wood|under the bed
ticket|go into a museum|paper|in a pocket
stamp|send a letter|paper|at the post office
coin|pay for small things|silver|in a purse
bottle|keep water|glass|on the shelf
pillow|rest your head|cotton|on the bed
blanket|keep warm|wool|on the bed
scarf|keep your neck warm|wool|in the cupboard
hat|keep your head warm|wool|on the hook
glove|keep your hand warm|wool|in the cupboard
boot|walk in the mud|leather|by the door
`,
);

export const places = table(
  ['name', 'act', 'found'],
  `
library|borrow books|many books
school|learn to read and write|children and teachers
bakery|buy bread and cakes|warm bread
market|buy fruit and vegetables|many stalls
museum|look at old things|old things with small signs
café|drink tea and eat cake|small tables and chairs
shop|buy what you need|shelves full of goods
station|take a train|long trains
harbour|see ships and boats|ships, boats and gulls
beach|play in the sand|sand and shells
park|walk under the trees|trees and benches
garden|grow flowers|flowers and bees
farm|see cows and hens|animals and fields
forest|walk in the shade|tall trees
hospital|get well again|doctors and nurses
post office|send a letter|letters and stamps
theatre|watch a play|a stage and red seats
kitchen|cook a meal|pots and pans
workshop|make and mend things|many tools
lighthouse|see far over the sea|a bright lamp
tower|look over the town|many steps
bridge|cross the river|people and cars
island|sail around the coast|rocks and birds
castle|see old walls|thick walls and a gate
pool|swim all year|warm water
playground|climb and slide|children and swings
hotel|sleep for a night|many rooms
church|listen to the bells|quiet people
mill|see how flour is made|sacks of flour
cave|hear the water drip|dark stones
`,
);

export const jobs = table(
  ['name', 'act', 'place', 'thing'],
  `
baker|bakes bread|in a bakery|an oven
farmer|grows food|on a farm|a tractor
teacher|teaches children|in a school|books
doctor|helps sick people|in a hospital|medicine
nurse|cares for sick people|in a hospital|clean sheets
sailor|sails a ship|at sea|ropes
fisher|catches fish|on a boat|a net
cook|cooks meals|in a kitchen|pots
gardener|cares for plants|in a garden|a spade
painter|paints pictures|in a bright room|a brush
builder|builds houses|on a building site|bricks
carpenter|makes chairs and tables|in a workshop|a saw
tailor|makes clothes|in a small shop|a needle
driver|drives a bus|on the road|a big wheel
pilot|flies a plane|in the air|a map
captain|leads the crew of a ship|on the bridge|a compass
guide|shows people around|in a museum|a small flag
keeper|looks after the light|in a lighthouse|a lamp
librarian|looks after books|in a library|a card box
potter|makes cups from clay|in a workshop|a wheel
weaver|makes cloth|in a quiet room|a loom
postman|brings letters|in the street|a bag
singer|sings songs|on a stage|a clear voice
firefighter|puts out fires|in the town|a long hose
`,
);

export const vehicles = table(
  ['name', 'way', 'load', 'drive'],
  `
bus|on the road|people|an engine
car|on the road|a family|an engine
truck|on the road|heavy boxes|an engine
train|on rails|many people|a strong engine
tram|on rails in the town|people|electric power
bicycle|on the path|one person|your legs
plane|in the air|people and bags|strong engines
balloon|in the air|a few people|hot air
ship|on the sea|big loads|a strong engine
boat|on the water|a few people|oars or a sail
ferry|across the water|people and cars|an engine
sledge|over the snow|children|a dog or a hill
cart|on the farm|hay|a horse
raft|down the river|a few people|the stream
`,
);

export const things = table(
  ['name', 'what'],
  `
harbour|a safe place where ships can rest
lighthouse|a tall tower with a light that helps ships at night
museum|a house where people can look at old and rare things
ship|a large boat that can cross the sea
mast|a tall pole that holds the sails of a ship
hull|the body of a ship that floats in the water
deck|the flat floor of a ship
sail|a large cloth that catches the wind
cabin|a small room on a ship
crew|the group of people who work on a ship
anchor|a heavy iron hook that holds a ship in place
wave|a moving hill of water on the sea
tide|the slow rise and fall of the sea
island|land with water all around it
coast|the land beside the sea
bay|a part of the sea with land on three sides
storm|strong wind with rain and big waves
fog|a cloud that lies on the ground
rainbow|a bow of many colours in the sky
river|a long stream of water that flows to the sea
lake|a large piece of water with land around it
mountain|a very high hill
valley|low land between hills
forest|a large place full of trees
desert|a dry land with much sand
village|a small group of houses
town|a place with many houses and streets
street|a road with houses on both sides
roof|the top of a house that keeps the rain out
floor|the part of a room that you walk on
door|a part of a wall that opens and closes
window|a hole in the wall with glass in it
ticket|a small paper that lets you go in
tour|a walk with a guide who explains things
guide|a person who shows you around
visitor|a person who comes to see a place
shell|the hard house of a small sea animal
knot|a place where a rope is tied
lantern|a lamp with glass sides that you can carry
compass|a small tool that shows the north
map|a picture of land and sea from above
story|a tale about things that happen to someone
song|words that are sung with a tune
letter|a message that is written on paper
gift|a thing that you give to make someone happy
market|a place where people sell food and other goods
meal|food that you eat at one time
breakfast|the first meal of the day
shadow|a dark shape that follows you in the light
echo|a sound that comes back to you
season|one of the four parts of the year
week|a time of seven days
year|a time of twelve months
minute|a time of sixty seconds
hour|a time of sixty minutes
triangle|a shape with three sides
square|a shape with four equal sides
circle|a round shape without corners
team|a group of people who work together
horn|a tool that makes a deep sound when you blow it
kite|a light toy of cloth that flies in the wind
biscuit|a small dry cake
view|what you can see from a high place
front|the side that you see first
age|the number of years that someone has lived
noon hour|the hour in the middle of the day
toilet|a small room with water and soap
fishing boat|a boat that brings home fish
locker|a small cupboard with a key for bags and coats
lift|a small room that carries people up and down
gate|a door in a wall or a fence
flag|a piece of cloth with a sign on it
party|a happy meeting of friends
trip|a short journey for fun
price|the money that you pay for a thing
class|a group of children who learn together
birthday|the day on which you were born
flash|a short and bright light
stamp|a small picture that you put on a letter
chest|a big wooden box with a lid
belt|a band that holds your trousers
load|the goods that a ship or cart carries
garden|a piece of land with flowers and bees
stair|one step of a way up
bone|a hard part inside the body
wall|the side of a house or room
tale|a story that people tell again and again
desk|a table where people write or sell tickets
noise|a sound that nobody wants to hear
neighbour|a person who lives next to you
`,
);

export const opposites = table(
  ['one', 'other'],
  `
big|small
hot|cold
old|new
fast|slow
high|low
long|short
full|empty
open|closed
light|dark
happy|sad
strong|weak
wet|dry
hard|soft
loud|quiet
clean|dirty
early|late
near|far
heavy|light
thick|thin
wide|narrow
deep|shallow
rich|poor
young|old
right|wrong
first|last
up|down
left|right
inside|outside
day|night
summer|winter
north|south
east|west
push|pull
buy|sell
give|take
win|lose
laugh|cry
rough|smooth
sharp|blunt
brave|afraid
`,
);

export const colours = table(
  ['thing', 'colour'],
  `
the sky on a clear day|blue
grass|green
snow|white
coal|black
a lemon|yellow
a ripe tomato|red
a carrot|orange
milk|white
a leaf in spring|green
the night sky|black
the sun in a picture|yellow
a ripe banana|yellow
blood|red
chocolate|brown
a cloud before rain|grey
a plum|purple
gold|yellow
a pink rose|pink
the deep sea|blue
sand|yellow
ash|grey
salt|white
a cherry|red
a frog|green
`,
);

export const senses = table(
  ['part', 'use'],
  `
eyes|see
ears|hear
nose|smell
tongue|taste
hands|hold things
feet|walk
teeth|bite
legs|run
fingers|touch things
mouth|speak
brain|think
knees|bend your legs
`,
);

export const materials = table(
  ['name', 'traits', 'source', 'use'],
  `
glass|hard and clear|sand|windows
wood|hard and light|trees|tables and boats
wool|soft and warm|sheep|hats and scarves
paper|thin and light|wood|books
iron|hard and heavy|rock|nails and anchors
gold|heavy and bright|rock|rings
stone|hard and heavy|the ground|walls
clay|soft when it is wet|the ground|cups and bricks
cotton|soft and light|a plant|shirts
leather|strong and smooth|animal skin|shoes
wax|soft and smooth|bees|candles
ice|cold and hard|water|cool drinks
sand|dry and fine|old rock|glass
brass|yellow and bright|copper and zinc|bells
string|thin and strong|twisted threads|nets
rubber|soft and strong|the juice of a tree|tyres
`,
);

export const whys = table(
  ['question', 'answer'],
  `
do people sleep|People sleep because their bodies need rest.
do birds sing|Birds sing to call each other.
does ice melt|Ice melts because it gets warm.
do we eat breakfast|We eat breakfast because we need strength for the day.
do ships need a harbour|Ships need a harbour because they must rest in calm water.
do plants need rain|Plants need rain because they drink water with their roots.
do we wear coats|We wear coats because we want to stay warm.
do leaves fall|Leaves fall because the tree rests in winter.
do people read books|People read books because they like stories and want to learn.
does a boat float|A boat floats because it is lighter than the water it pushes away.
do cats sleep in the day|Cats sleep in the day because they like to hunt at night.
do we wash our hands|We wash our hands to stay clean and healthy.
do people laugh|People laugh because something is funny or makes them happy.
do we need the sun|We need the sun because it gives us light and warmth.
do sailors watch the sky|Sailors watch the sky because it tells them about the weather.
do bees visit flowers|Bees visit flowers because they gather sweet nectar.
do we say thank you|We say thank you to show that we are glad about help.
does a lighthouse have a lamp|A lighthouse has a lamp because ships must see it in the dark.
do visitors buy a ticket|Visitors buy a ticket because the museum needs money to care for old things.
do we whisper in a library|We whisper in a library because other people want to read.
do bells ring|Bells ring to tell people the time or to call them.
do people tie knots|People tie knots because they want a rope to hold.
does bread rise|Bread rises because small bubbles grow in the dough.
do sailors join a crew|Sailors join a crew because nobody can sail a big ship alone.
do people like old things|People like old things because they tell a story about other times.
do lights help ships|Lights help ships because sailors can see them when the night is dark.
do people cross the seas|People cross the seas to visit other lands and to sell goods.
do storms bring big waves|Storms bring big waves because strong wind pushes the water.
does the moon shine|The moon shines because the light of the sun falls on it.
`,
);

export const howTos = table(
  ['goal', 'steps'],
  `
make tea|Boil some water, put the leaves in a pot, pour the water on them and wait for four minutes.
wash your hands|Wet your hands, use some soap, rub them well and dry them with a clean towel.
plant a seed|Make a small hole, put the seed in it, cover it with soil and give it water.
make a sandwich|Cut two slices of bread, put butter and cheese on one slice and put the other slice on top.
find a lost key|Think about where you had it last, look there first and then ask someone to help.
write a letter|Take some paper, write a greeting, tell your news and sign it at the end.
make soup|Cut some vegetables, put them in a pot with water and salt and cook them until they are soft.
tie a knot|Make a loop, pull the end of the rope through it and pull it tight.
cross the road|Stop, look left and right, wait for the cars and walk when the road is free.
get warm|Put on a coat, drink something hot and move your arms and legs.
stay dry|Take an umbrella, wear boots and stay under a roof when it rains.
clean a window|Take warm water and a soft cloth, rub the glass and dry it.
bake bread|Mix flour, water and salt, let the dough rest and bake it in a hot oven.
draw a house|Draw a square, put a triangle on top and add a door and two windows.
sleep well|Open the window, turn off the light and read a quiet book before bed.
make a friend|Smile, say hello and ask a kind question.
visit a museum|Look at the opening hours, buy a ticket and start with the room that you like best.
learn a song|Listen to it many times, sing one line at a time and then sing it all.
`,
);

export const adjectives = [
  'small',
  'big',
  'old',
  'young',
  'kind',
  'clever',
  'brave',
  'quiet',
  'happy',
  'tired',
  'hungry',
  'careful',
  'friendly',
  'lonely',
  'busy',
  'curious',
  'gentle',
  'funny',
  'shy',
  'proud',
  'cheerful',
  'sleepy',
  'lucky',
  'wise',
] as const;

export const colourWords = [
  'red',
  'blue',
  'green',
  'yellow',
  'white',
  'black',
  'brown',
  'grey',
  'orange',
  'purple',
  'pink',
  'silver',
] as const;

export const days = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const;

export const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

export const ordinals = [
  'first',
  'second',
  'third',
  'fourth',
  'fifth',
  'sixth',
  'seventh',
  'eighth',
  'ninth',
  'tenth',
  'eleventh',
  'twelfth',
] as const;
